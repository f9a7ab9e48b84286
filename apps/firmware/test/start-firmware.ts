import { NestFactory } from '@nestjs/core';
import { Bus, BusConnection, busServer } from '#bus';
import { migrate } from '#database';
import { prepareSchema, type SchemaUrls } from '#embedded';
import { loadConfig, runService } from '#service';
import { testDatabase, testNats } from '#testing';
import { FirmwareConfig } from '../src/firmware.config.js';
import { ENTITIES, SCHEMA } from '../src/firmware.entity.js';
import { FirmwareModule } from '../src/firmware.module.js';
import { MIGRATIONS } from '../src/migrations/index.js';

export interface Firmware {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  /** As another gateway does. */
  anotherBus: Bus;
  urls: SchemaUrls;
  stop(): Promise<void>;
}

/** The service alone, as so many replicas, over a real Postgres and a real NATS, for the tests of one file. */
export async function startFirmware({ replicas = 1 } = {}): Promise<Firmware> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const urls = await prepareSchema(database_url, SCHEMA);
  await migrate({ schema: SCHEMA, url: urls.owner, entities: ENTITIES }, MIGRATIONS);
  const config = loadConfig(FirmwareConfig, {
    DATABASE_URL: urls.service,
    NATS_URL: nats.urlOf('firmware'),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'silent',
  });
  const start = async () => {
    const module = FirmwareModule.forRoot(config);
    const app = await NestFactory.createMicroservice(module, { ...busServer(), logger: false });
    return runService(app, config, () => app.listen());
  };
  const services = await Promise.all(Array.from({ length: replicas }, start));
  const connections = await Promise.all(
    [1, 2].map(() => BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') })),
  );
  const [bus, anotherBus] = connections.map((connection) => new Bus(connection, { deadline_ms: 20_000 }));
  return {
    bus: bus!,
    anotherBus: anotherBus!,
    urls,
    async stop() {
      await Promise.all(connections.map((connection) => connection.close()));
      await Promise.all(services.map((service) => service.stop()));
      await nats.stop();
    },
  };
}
