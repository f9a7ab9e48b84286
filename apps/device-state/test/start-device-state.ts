import { NestFactory } from '@nestjs/core';
import { Bus, BusConnection, busServer } from '#bus';
import { migrate } from '#database';
import { prepareSchema, type SchemaUrls } from '#embedded';
import { loadConfig, runService } from '#service';
import { testDatabase, testNats } from '#testing';
import { DeviceStateConfig } from '../src/device-state.config.js';
import { ENTITIES, SCHEMA } from '../src/device-state.entity.js';
import { DeviceStateModule } from '../src/device-state.module.js';
import { type DuplicateRule } from '../src/duplicate-rules.js';
import { MIGRATIONS } from '../src/migrations/index.js';

export interface DeviceState {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  urls: SchemaUrls;
  stop(): Promise<void>;
}

/** The service alone, as many replicas of it as told, over a real Postgres and a real NATS. */
export async function startDeviceState({
  replicas = 1,
  rules,
}: { replicas?: number; rules?: readonly DuplicateRule[] } = {}): Promise<DeviceState> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const urls = await prepareSchema(database_url, SCHEMA);
  await migrate({ schema: SCHEMA, url: urls.owner, entities: ENTITIES }, MIGRATIONS);
  const config = loadConfig(DeviceStateConfig, {
    DATABASE_URL: urls.service,
    NATS_URL: nats.urlOf('device-state'),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'silent',
  });
  const services = await Promise.all(
    Array.from({ length: replicas }, async () => {
      const module = DeviceStateModule.forRoot(config, rules);
      const app = await NestFactory.createMicroservice(module, { ...busServer(), logger: false });
      return runService(app, config, () => app.listen());
    }),
  );
  const connection = await BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') });
  const bus = new Bus(connection, { deadline_ms: 20_000, calls_a_frame: 32, frames_in_flight: 8 });
  return {
    bus,
    urls,
    async stop() {
      await bus.drain();
      await connection.close();
      await Promise.all(services.map((service) => service.stop()));
      await nats.stop();
    },
  };
}
