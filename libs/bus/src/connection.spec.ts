import { AuthorizationError } from '@nats-io/transport-node';
import { Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DIRECTIONS, eventually, Link, testNats } from '#testing';
import { BusModule } from './bus.module.js';
import { BusConnection, problemOf } from './connection.js';
import { MAX_PAYLOAD_BYTES } from './wire.js';

describe('a NATS server', () => {
  const server = { version: '2.14.0', jetstream: true, max_payload: MAX_PAYLOAD_BYTES };

  it.each(['2.11.0', '2.14.0', '2.14.0-beta.1', '3.0.0'])('of version %s will do', (version) => {
    expect(problemOf({ ...server, version })).toBeUndefined();
  });

  it.each([
    ['is too old', { version: '2.10.29' }, 'NATS is 2.10.29; Flotilla needs 2.11 or newer'],
    ['is much too old', { version: '1.99.0' }, 'NATS is 1.99.0; Flotilla needs 2.11 or newer'],
    ['has no JetStream', { jetstream: false }, 'NATS has JetStream off'],
    ['allows only small messages', { max_payload: 1_048_576 }, 'NATS allows 1048576 bytes a message'],
  ])('that %s is refused, with the reason', (_, difference, reason) => {
    expect(problemOf({ ...server, ...difference })).toContain(reason);
  });
});

describe('the first connection', () => {
  const { error } = console;
  afterEach(() => (console.error = error));

  it('is waited for by an app that keeps its log back, and what keeps it from being made is said once', async () => {
    const nats = await testNats();
    const { restart } = await nats.crash();
    const said: string[] = [];
    console.error = (line: string): void => void said.push(line);
    const module = BusModule.forRoot({ name: 'gateway', url: nats.urlOf('gateway') });
    const starting = NestFactory.createApplicationContext(module, { bufferLogs: true, logger: false });
    await eventually(() => said.length > 0, 10_000);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(said).toEqual([expect.stringContaining('NATS cannot be reached yet: ')]);
    await restart();
    const app = await starting;
    await app.get(BusConnection).ping();
    await app.close();
    await nats.stop();
  });
});

describe('a server that is silent', () => {
  it('is not waited for to answer a ping', async () => {
    Logger.overrideLogger(false);
    const nats = await testNats();
    const url = new URL(nats.urlOf('gateway'));
    const link = await Link.to(Number(url.port));
    url.port = String(link.port);
    const connection = await BusConnection.open({ name: 'gateway', url: url.href });
    await connection.ping();
    link.silence(DIRECTIONS);
    const began = performance.now();
    await expect(connection.ping()).rejects.toThrow();
    expect(performance.now() - began).toBeLessThan(2_000);
    link.heal();
    await connection.close();
    link.close();
    await nats.stop();
  });
});

describe('a connection that was lost', () => {
  it('is made again, also when the server did not know the app for a while', async () => {
    Logger.overrideLogger(false);
    const nats = await testNats();
    const connection = await BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') });
    let refusals = 0;
    void (async () => {
      for await (const { type } of connection.nats.status()) if (type === 'error') refusals += 1;
    })();
    await (await nats.crash()).restart(['gateway']);
    await eventually(() => refusals >= 3);
    await (await nats.crash()).restart();
    await eventually(() => connection.isStanding);
    await connection.ping();
    await connection.close();
    await nats.stop();
  });

  it('answers nothing any more: whoever waits is told, and who has an answer keeps it', async () => {
    Logger.overrideLogger(false);
    const nats = await testNats();
    const connection = await BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') });
    const [answered, refused, waiting] = [
      connection.ask(() => Promise.resolve('yes')),
      connection.ask(() => Promise.reject(new Error('no'))),
      connection.ask(() => new Promise(() => undefined)),
    ];
    await expect(answered).resolves.toBe('yes');
    await expect(refused).rejects.toThrow('no');
    const told = expect(waiting).rejects.toThrow('NATS is gone');
    await nats.crash();
    await told;
    await expect(connection.ask(() => Promise.resolve('yes'))).rejects.toThrow('NATS is gone');
    await connection.close();
    await nats.stop();
  });

  it('is not waited for by an app that no server knows at its start', async () => {
    const nats = await testNats();
    await (await nats.crash()).restart(['gateway']);
    const opening = BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') });
    await expect(opening).rejects.toThrow(AuthorizationError);
    await nats.stop();
  });
});
