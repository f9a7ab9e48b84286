import { NestFactory } from '@nestjs/core';
import { Bus, BusConnection, busServer } from '#bus';
import { migrate } from '#database';
import { prepareSchema, type SchemaUrls } from '#embedded';
import { loadConfig, runService } from '#service';
import { testDatabase, testNats } from '#testing';
import { ActivityEventsConfig } from '../src/activity-events.config.js';
import { ENTITIES, SCHEMA } from '../src/activity-events.entity.js';
import { ActivityEventsModule } from '../src/activity-events.module.js';
import { MIGRATIONS } from '../src/migrations/index.js';

export interface ActivityEvents {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  urls: SchemaUrls;
  stop(): Promise<void>;
}

/** The service alone, over a real Postgres and a real NATS, for the tests of one file. */
export async function startActivityEvents(): Promise<ActivityEvents> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const urls = await prepareSchema(database_url, SCHEMA);
  await migrate({ schema: SCHEMA, url: urls.owner, entities: ENTITIES }, MIGRATIONS);
  const config = loadConfig(ActivityEventsConfig, {
    DATABASE_URL: urls.service,
    NATS_URL: nats.urlOf('activity-events'),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'silent',
  });
  const module = ActivityEventsModule.forRoot(config);
  const app = await NestFactory.createMicroservice(module, { ...busServer(), logger: false });
  const service = await runService(app, config, () => app.listen());
  const connection = await BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') });
  return {
    bus: new Bus(connection, { deadline_ms: 20_000 }),
    urls,
    async stop() {
      await connection.close();
      await service.stop();
      await nats.stop();
    },
  };
}
