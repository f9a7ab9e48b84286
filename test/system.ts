import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { busServer } from '#bus';
import { migrate } from '#database';
import { prepareSchema } from '#embedded';
import { loadConfig, runService, type RunningService } from '#service';
import { testDatabase, testNats, type TestNats } from '#testing';
import { ActivityEventsConfig } from '../apps/activity-events/src/activity-events.config.js';
import * as activityEvents from '../apps/activity-events/src/activity-events.entity.js';
import { ActivityEventsModule } from '../apps/activity-events/src/activity-events.module.js';
import { MIGRATIONS as ACTIVITY_EVENTS_MIGRATIONS } from '../apps/activity-events/src/migrations/index.js';
import * as auth from '../apps/gateway/src/auth/auth.entity.js';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { MIGRATIONS as AUTH_MIGRATIONS } from '../apps/gateway/src/auth/migrations/index.js';
import { createGateway } from '../apps/gateway/src/create-gateway.js';
import { GatewayConfig } from '../apps/gateway/src/gateway.config.js';
import { MIGRATIONS as PRICING_MIGRATIONS } from '../apps/pricing/src/migrations/index.js';
import { PricingConfig } from '../apps/pricing/src/pricing.config.js';
import * as pricing from '../apps/pricing/src/pricing.entity.js';
import { PricingModule } from '../apps/pricing/src/pricing.module.js';
import { HttpClient } from './http-client.js';

export interface Gateway extends RunningService {
  url: string;
}

export interface System {
  /** Base URL of the first gateway. */
  url: string;
  gateway: Gateway;
  database_url: string;
  nats: TestNats;
  operator: HttpClient;
  /** Admin of the project `demo`. */
  admin: HttpClient;
  /** A further gateway process on the same database, as another replica would be. */
  anotherGateway(environment?: Record<string, string>): Promise<Gateway>;
  startActivityEvents(): Promise<RunningService>;
  activityEvents: RunningService;
  startPricing(): Promise<RunningService>;
  pricing: RunningService;
  stop(): Promise<void>;
}

/** All of Flotilla over a real Postgres and a real NATS, for the tests of one file. */
export async function startSystem(environment: Record<string, string> = {}): Promise<System> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const keys = {
    KEY_SECRET: randomUUID() + randomUUID(),
    FLOTILLA_OPERATOR_KEY: randomKey('operator'),
    FLOTILLA_ADMIN_KEY: randomKey('member'),
  };
  const common = { NATS_URL: nats.url, HEALTH_PORT: '0', LOG_LEVEL: 'silent' };
  const running: { stop(): Promise<void> }[] = [];
  const started = <T extends { stop(): Promise<void> }>(service: T): T => {
    running.push(service);
    return service;
  };

  const eventsUrls = await prepareSchema(database_url, activityEvents.SCHEMA);
  await migrate(
    { schema: activityEvents.SCHEMA, url: eventsUrls.owner, entities: activityEvents.ENTITIES },
    ACTIVITY_EVENTS_MIGRATIONS,
  );
  const startActivityEvents = async (): Promise<RunningService> => {
    const config = loadConfig(ActivityEventsConfig, {
      ...common,
      DATABASE_URL: eventsUrls.service,
      ...environment,
    });
    const app = await NestFactory.createMicroservice(ActivityEventsModule.forRoot(config), {
      ...busServer(),
      logger: false,
    });
    return started(await runService(app, config, () => app.listen()));
  };

  const pricingUrls = await prepareSchema(database_url, pricing.SCHEMA);
  await migrate(
    { schema: pricing.SCHEMA, url: pricingUrls.owner, entities: pricing.ENTITIES },
    PRICING_MIGRATIONS,
  );
  const startPricing = async (): Promise<RunningService> => {
    const config = loadConfig(PricingConfig, {
      ...common,
      DATABASE_URL: pricingUrls.service,
      ...environment,
    });
    const app = await NestFactory.createMicroservice(PricingModule.forRoot(config), {
      ...busServer(),
      logger: false,
    });
    return started(await runService(app, config, () => app.listen()));
  };

  const authUrls = await prepareSchema(database_url, auth.SCHEMA);
  await migrate({ schema: auth.SCHEMA, url: authUrls.owner, entities: auth.ENTITIES }, AUTH_MIGRATIONS);
  const startGateway = async (own: Record<string, string> = {}): Promise<Gateway> => {
    const variables = { ...common, ...keys, DATABASE_URL: authUrls.service, ...environment, ...own };
    const config = loadConfig(GatewayConfig, variables);
    const app = await createGateway(config);
    const service = await runService(app, config, () => app.listen(0, '127.0.0.1'));
    return started({ ...service, url: await app.getUrl() });
  };

  const service = await startActivityEvents();
  const pricingService = await startPricing();
  const gateway = await startGateway();
  const { url } = gateway;
  return {
    url,
    gateway,
    database_url,
    nats,
    operator: new HttpClient(url, keys.FLOTILLA_OPERATOR_KEY),
    admin: new HttpClient(url, keys.FLOTILLA_ADMIN_KEY),
    anotherGateway: startGateway,
    startActivityEvents,
    activityEvents: service,
    startPricing,
    pricing: pricingService,
    async stop() {
      await Promise.all(running.map((one) => one.stop()));
      await nats.stop();
    },
  };
}
