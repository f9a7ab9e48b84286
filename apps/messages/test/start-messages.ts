import { NestFactory } from '@nestjs/core';
import { Bus, BusConnection, busServer } from '#bus';
import { migrate } from '#database';
import { prepareSchema, type SchemaUrls } from '#embedded';
import { loadConfig, runService, type RunningService } from '#service';
import { testDatabase, testNats } from '#testing';
import { Clock } from '../src/clock.js';
import { MessagesConfig } from '../src/messages.config.js';
import { ENTITIES, SCHEMA } from '../src/messages.entity.js';
import { MessagesModule } from '../src/messages.module.js';
import { MIGRATIONS } from '../src/migrations/index.js';

/** A clock that also goes where it is told. */
export class SetClock extends Clock {
  private ahead_ms = 0;

  override now(): Date {
    return new Date(Date.now() + this.ahead_ms);
  }

  forward(ms: number): void {
    this.ahead_ms += ms;
  }
}

export interface Messages {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  clock: SetClock;
  urls: SchemaUrls;
  /** A further process of the service, with a clock of its own. */
  anotherReplica(clock: Clock): Promise<RunningService>;
  stop(): Promise<void>;
}

/** The service alone, over a real Postgres and a real NATS, for the tests of one file. */
export async function startMessages(): Promise<Messages> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const urls = await prepareSchema(database_url, SCHEMA);
  await migrate({ schema: SCHEMA, url: urls.owner, entities: ENTITIES }, MIGRATIONS);
  const config = loadConfig(MessagesConfig, {
    DATABASE_URL: urls.service,
    NATS_URL: nats.urlOf('messages'),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'silent',
  });
  const running: RunningService[] = [];
  const anotherReplica = async (clock: Clock): Promise<RunningService> => {
    const module = MessagesModule.forRoot(config, clock);
    const app = await NestFactory.createMicroservice(module, { ...busServer(), logger: false });
    const service = await runService(app, config, () => app.listen());
    running.push(service);
    return service;
  };
  const clock = new SetClock();
  await anotherReplica(clock);
  const connection = await BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') });
  return {
    bus: new Bus(connection, { deadline_ms: 20_000 }),
    clock,
    urls,
    anotherReplica,
    async stop() {
      await connection.close();
      await Promise.all(running.map((service) => service.stop()));
      await nats.stop();
    },
  };
}
