import { NestFactory } from '@nestjs/core';
import { Bus, BusConnection, busServer } from '#bus';
import { migrate } from '#database';
import { prepareSchema, type SchemaUrls } from '#embedded';
import { loadConfig, runService, type RunningService } from '#service';
import { testDatabase, testNats } from '#testing';
import { MIGRATIONS } from '../src/migrations/index.js';
import { PricingConfig } from '../src/pricing.config.js';
import { ENTITIES, SCHEMA } from '../src/pricing.entity.js';
import { PricingModule } from '../src/pricing.module.js';

export interface Pricing {
  /** Calls the service, as the gateway does. */
  bus: Bus;
  /** Another gateway: its frames meet those of the first in the service. */
  otherBus: Bus;
  /** As the superuser. */
  database_url: string;
  urls: SchemaUrls;
  /** The environment of a replica, e.g. to run one as a process. */
  environment: Record<string, string>;
  startReplica(environment?: Record<string, string>): Promise<RunningService>;
  stop(): Promise<void>;
}

/** The service alone, as so many replicas over a real Postgres and a real NATS, for the tests of one file. */
export async function startPricing({ replicas }: { replicas: number }): Promise<Pricing> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const urls = await prepareSchema(database_url, SCHEMA);
  await migrate({ schema: SCHEMA, url: urls.owner, entities: ENTITIES }, MIGRATIONS);
  const environment = {
    DATABASE_URL: urls.service,
    NATS_URL: nats.urlOf('pricing'),
    HEALTH_PORT: '0',
    LOG_LEVEL: 'silent',
  };
  const running: RunningService[] = [];
  const startReplica = async (own: Record<string, string> = {}): Promise<RunningService> => {
    const config = loadConfig(PricingConfig, { ...environment, ...own });
    const module = PricingModule.forRoot(config);
    const app = await NestFactory.createMicroservice(module, { ...busServer(), logger: false });
    const service = await runService(app, config, () => app.listen());
    running.push(service);
    return service;
  };
  for (let replica = 0; replica < replicas; replica += 1) await startReplica();
  const connections = await Promise.all(
    [1, 2].map(() => BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') })),
  );
  const [bus, otherBus] = connections.map((connection) => new Bus(connection, { deadline_ms: 20_000 }));
  return {
    bus: bus!,
    otherBus: otherBus!,
    database_url,
    urls,
    environment,
    startReplica,
    async stop() {
      await Promise.all(connections.map((connection) => connection.close()));
      await Promise.all(running.map((service) => service.stop()));
      await nats.stop();
    },
  };
}
