import { type Bus } from '#bus';
import { type SchemaUrls } from '#embedded';
import { testService, type TestService } from '#testing';
import { ActivityEventsConfig } from '../src/activity-events.config.js';
import * as tables from '../src/activity-events.entity.js';
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
  const service = await activityEvents();
  await service.start();
  return { ...service, bus: await service.gateway() };
}

/** The same, of which no replica runs yet. */
export function activityEvents(): Promise<TestService<ActivityEventsConfig>> {
  return testService({
    name: 'activity-events',
    config: ActivityEventsConfig,
    module: ActivityEventsModule,
    tables,
    migrations: MIGRATIONS,
  });
}
