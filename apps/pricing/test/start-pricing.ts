import { type Bus } from '#bus';
import { type SchemaUrls } from '#embedded';
import { type RunningService } from '#service';
import { testService } from '#testing';
import { MIGRATIONS } from '../src/migrations/index.js';
import { PricingConfig } from '../src/pricing.config.js';
import * as tables from '../src/pricing.entity.js';
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
  const service = await testService({
    name: 'pricing',
    config: PricingConfig,
    module: PricingModule,
    tables,
    migrations: MIGRATIONS,
  });
  for (let replica = 0; replica < replicas; replica += 1) await service.start();
  const [bus, otherBus] = [await service.gateway(), await service.gateway()];
  return { ...service, bus, otherBus, startReplica: service.start };
}
