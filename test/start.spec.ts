import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from '#embedded';
import { eventually } from '#testing';
import { anEvent } from './builders.js';
import { SCHEMAS } from '../start/app-schema.js';
import { descendantsOf, processes, type ProcessInfo } from './processes.js';
import { started, startProcess, type Started } from './started.js';

const PATIENCE_MS = 40_000;

describe('npm start', () => {
  let directory: string;
  let flotilla: Started;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "flotilla start's-"));
    flotilla = await started(directory);
  });
  afterAll(async () => {
    flotilla.kill('SIGTERM');
    await flotilla.ended;
    await rm(directory, { recursive: true, force: true });
  });

  const parts = (): Promise<ProcessInfo[]> => descendantsOf(flotilla.pid);
  /** A direct child whose command holds this. */
  const part = async (name: string): Promise<ProcessInfo> => {
    const found = (await parts()).find(
      ({ parent, command }) => parent === flotilla.pid && command.includes(name),
    );
    if (!found) throw new Error(`there is no ${name}`);
    return found;
  };
  const expectNothingLeft = async (family: ProcessInfo[]): Promise<void> => {
    const alive = await processes();
    const left = alive.filter(
      ({ pid, command }) =>
        command.includes(directory) || family.some((one) => one.pid === pid && one.command === command),
    );
    expect(left).toEqual([]);
  };
  const recordsAgain = () =>
    eventually(async () => {
      expect((await flotilla.admin.get('/health')).status).toBe(200);
      expect((await flotilla.admin.post('/v1/events', anEvent())).status).toBe(201);
    }, PATIENCE_MS);

  it('prints the URL, where the keys are, and a curl line that works when pasted', async () => {
    const output = flotilla.output();
    expect(output).toContain(`http://localhost:${new URL(flotilla.url).port}`);
    expect(output).toMatch(/operator key .+operator\.key/);
    expect(output).toMatch(/admin key .+admin\.key/);
    const curl = /^ *(curl .+)$/m.exec(output)![1]!;
    const { stdout } = await promisify(execFile)('sh', ['-c', curl]);
    const event = JSON.parse(stdout) as { id: string };
    expect((await flotilla.admin.get(`/v1/events/${event.id}`)).body).toEqual(event);
  });

  it('keeps its keys in files that only their owner may read', async () => {
    for (const file of ['operator.key', 'admin.key', 'secret.key'])
      expect([file, ((await stat(join(directory, file))).mode & 0o777).toString(8)]).toEqual([file, '600']);
    expect((await flotilla.operator.get('/v1/me')).body.role).toBe('operator');
    expect((await flotilla.admin.get('/v1/me')).body.role).toBe('admin');
  });

  it('says in one line that the port is busy, and ends with 1', async () => {
    const busy = createServer().listen(0);
    const { port } = busy.address() as AddressInfo;
    const second = startProcess(join(directory, 'other'), { PORT: String(port) });
    expect(await second.ended).toBe(1);
    expect(second.output()).toBe(`Port ${port} is busy: stop what uses it, or set PORT\n`);
    busy.close();
  });

  it('says in one line that the data directory is in use, ends with 1, and harms nobody', async () => {
    const children = async () => (await parts()).filter(({ parent }) => parent === flotilla.pid);
    const before = await children();
    const second = startProcess(directory, { PORT: String(await freePort()) });
    expect(await second.ended).toBe(1);
    expect(second.output()).toBe(
      `${directory} is in use by process ${flotilla.pid}: stop it, or set FLOTILLA_DATA_DIR\n`,
    );
    expect(await children()).toEqual(before);
    expect((await flotilla.admin.post('/v1/events', anEvent())).status).toBe(201);
  });

  it('lists every setting that is not usable, and ends with 1', async () => {
    const second = startProcess(join(directory, 'unusable'), {
      PORT: 'http',
      NATS_URL: 'x',
      RATE_LIMIT_REQUESTS: 'many',
      // Of what the apps are given the environment says nothing.
      HEALTH_PORT: 'x',
    });
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(
      /^The configuration is not usable:\n {2}PORT .+\n {2}NATS_URL .+\n {2}RATE_LIMIT_REQUESTS .+\n$/,
    );
    expect(await readdir(directory)).not.toContain('unusable');
  });

  it('says in one line that a Postgres is not there, and ends with 1', async () => {
    const port = await freePort();
    const second = startProcess(join(directory, 'other'), {
      PORT: String(await freePort()),
      DATABASE_URL: `postgres://flotilla@localhost:${port}/flotilla`,
    });
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(new RegExp(`^connect ECONNREFUSED .+:${port}\\n$`));
  });

  it.each(['apps/gateway', 'apps/activity-events', 'apps/pricing', 'nats-server', 'bin/postgres'])(
    'starts %s again when it is killed',
    async (name) => {
      const { pid } = await part(name);
      process.kill(pid, 'SIGKILL');
      const again = await eventually(async () => {
        const successor = await part(name);
        expect(successor.pid).not.toBe(pid);
        return successor;
      }, PATIENCE_MS);
      expect(again.pid).not.toBe(pid);
      await recordsAgain();
    },
  );

  it('loses no acknowledged event, and makes none twice, while its parts are killed', async () => {
    let killing = true;
    const acknowledged = new Map<string, string>();
    const component = randomUUID();
    const write = async (writer: number): Promise<void> => {
      for (let nth = 0; killing; nth += 1) {
        const name = `${writer}-${nth}`;
        await eventually(async () => {
          const { status, body } = await flotilla.admin.post(
            '/v1/events',
            anEvent({ component, message: name }),
            { 'idempotency-key': `${component}-${name}` },
          );
          expect(status).toBe(201);
          acknowledged.set(name, body.id as string);
        }, PATIENCE_MS);
      }
    };
    const writers = [1, 2, 3, 4].map(write);
    for (const name of ['apps/gateway', 'apps/activity-events', 'nats-server', 'bin/postgres']) {
      const before = acknowledged.size;
      process.kill((await part(name)).pid, 'SIGKILL');
      await eventually(() => acknowledged.size > before + 20, PATIENCE_MS);
      await recordsAgain();
    }
    killing = false;
    await Promise.all(writers);
    const { body } = await flotilla.admin.get(`/v1/events?component=${component}`, {
      accept: 'application/x-ndjson',
    });
    const kept = (body as string)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { message: string; id: string });
    expect(kept.map(({ message, id }) => [message, id]).sort()).toEqual([...acknowledged].sort());
  });

  it('writes no key into what it prints or logs', async () => {
    const names = await readdir(join(directory, 'logs'));
    expect(names).toEqual(
      expect.arrayContaining([...Object.keys(SCHEMAS), 'postgres', 'nats'].map((name) => `${name}.log`)),
    );
    const logs = await Promise.all(names.map((name) => readFile(join(directory, 'logs', name), 'utf8')));
    for (const text of [flotilla.output(), ...logs])
      for (const { key } of [flotilla.admin, flotilla.operator]) expect(text.includes(key!)).toBe(false);
  });

  it.each([
    ['SIGINT', ['SIGINT']],
    ['SIGTERM', ['SIGTERM']],
    ['a Ctrl-C that arrives twice, as npm hands it on', ['SIGINT', 'SIGINT']],
  ] as const)(
    'ends everything on %s, leaves no process behind, and finds its data again',
    async (_, signals) => {
      const { body } = await flotilla.admin.post('/v1/events', anEvent());
      const family = await parts();
      expect(family.length).toBeGreaterThanOrEqual(4);
      for (const signal of signals) flotilla.kill(signal);
      expect(await flotilla.ended).toBe(0);
      await expectNothingLeft(family);

      const { admin } = flotilla;
      flotilla = await started(directory);
      expect(flotilla.admin.key).toBe(admin.key);
      expect((await flotilla.admin.get(`/v1/events/${body.id as string}`)).body).toEqual(body);
    },
  );

  it('ends everything when it is told to while it starts', async () => {
    const other = join(directory, 'early');
    const early = startProcess(other, { PORT: String(await freePort()) });
    await eventually(() => stat(join(other, 'postgres.password')).then(() => true), PATIENCE_MS);
    early.kill('SIGTERM');
    await early.ended;
    const left = (await processes()).filter(({ command }) => command.includes(other));
    expect(left).toEqual([]);
  });

  describe('with a NATS that cannot be reached', () => {
    /** Waits until an app has said in its log what it waits for. @returns all parts of it */
    const waiting = async (name: string) => {
      const other = join(directory, name);
      const NATS_URL = `nats://127.0.0.1:${await freePort()}`;
      const start = startProcess(other, { PORT: String(await freePort()), NATS_URL });
      await eventually(async () => {
        const log = await readFile(join(other, 'logs', 'firmware.log'), 'utf8');
        expect(log).toContain('NATS cannot be reached yet: ');
      }, PATIENCE_MS);
      return { start, family: await descendantsOf(start.pid) };
    };
    const left = async (family: ProcessInfo[]) =>
      (await processes()).filter(({ pid, command }) =>
        family.some((one) => one.pid === pid && one.command === command),
      );

    it('says in the logs what it waits for, and ends everything on Ctrl-C', async () => {
      const { start, family } = await waiting('unreachable');
      start.kill('SIGINT');
      expect(await start.ended).toBe(0);
      expect(await left(family)).toEqual([]);
    });

    it('leaves no app behind when it is killed', async () => {
      const { start, family } = await waiting('killed');
      start.kill('SIGKILL');
      await start.ended;
      const apps = family.filter(({ command }) => command.includes('/apps/'));
      expect(apps).toHaveLength(Object.keys(SCHEMAS).length);
      await eventually(async () => expect(await left(apps)).toEqual([]), PATIENCE_MS);
      // What outlives it is Postgres, which the next start would stop.
      const postgres = family.find(({ command }) => command.includes('bin/postgres'));
      process.kill(postgres!.pid, 'SIGINT');
      await eventually(async () => expect(await left(family)).toEqual([]));
    });
  });

  it('starts again after it was itself killed, though its servers outlived it', async () => {
    const { body } = await flotilla.admin.post('/v1/events', anEvent());
    const family = await parts();
    flotilla.kill('SIGKILL');
    expect(await flotilla.ended).toBe('SIGKILL');
    flotilla = await started(directory);
    expect((await flotilla.admin.get(`/v1/events/${body.id as string}`)).body).toEqual(body);
    const successors = await parts();
    const apps = family.filter(({ command }) => command.includes('/apps/'));
    expect(apps).toHaveLength(Object.keys(SCHEMAS).length);
    await eventually(async () => {
      const alive = (await processes()).map(({ pid }) => pid);
      expect(apps.filter(({ pid }) => alive.includes(pid))).toEqual([]);
    });
    expect(successors.filter(({ command }) => command.includes('nats-server'))).toHaveLength(1);
  });
});
