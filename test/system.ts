import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { loadConfig, runService, type AppConfig, type RunningService } from '#service';
import {
  prepareApp,
  startReplica,
  testDatabase,
  testNats,
  type ServiceSources,
  type TestNats,
} from '#testing';
import { ActivityEventsConfig } from '../apps/activity-events/src/activity-events.config.js';
import * as activityEvents from '../apps/activity-events/src/activity-events.entity.js';
import { ActivityEventsModule } from '../apps/activity-events/src/activity-events.module.js';
import { MIGRATIONS as ACTIVITY_EVENTS_MIGRATIONS } from '../apps/activity-events/src/migrations/index.js';
import { DeviceStateConfig } from '../apps/device-state/src/device-state.config.js';
import * as deviceState from '../apps/device-state/src/device-state.entity.js';
import { DeviceStateModule } from '../apps/device-state/src/device-state.module.js';
import { MIGRATIONS as DEVICE_STATE_MIGRATIONS } from '../apps/device-state/src/migrations/index.js';
import { FirmwareConfig } from '../apps/firmware/src/firmware.config.js';
import * as firmware from '../apps/firmware/src/firmware.entity.js';
import { FirmwareModule } from '../apps/firmware/src/firmware.module.js';
import { MIGRATIONS as FIRMWARE_MIGRATIONS } from '../apps/firmware/src/migrations/index.js';
import { AUDIT_FEED } from '../apps/gateway/src/auth/audit-feed.js';
import * as auth from '../apps/gateway/src/auth/auth.entity.js';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { MIGRATIONS as AUTH_MIGRATIONS } from '../apps/gateway/src/auth/migrations/index.js';
import { createGateway } from '../apps/gateway/src/create-gateway.js';
import { GatewayConfig } from '../apps/gateway/src/gateway.config.js';
import { MessagesConfig } from '../apps/messages/src/messages.config.js';
import * as messages from '../apps/messages/src/messages.entity.js';
import { MessagesModule } from '../apps/messages/src/messages.module.js';
import { MIGRATIONS as MESSAGES_MIGRATIONS } from '../apps/messages/src/migrations/index.js';
import { PricingConfig } from '../apps/pricing/src/pricing.config.js';
import * as pricing from '../apps/pricing/src/pricing.entity.js';
import { PricingModule } from '../apps/pricing/src/pricing.module.js';
import { MIGRATIONS as PRICING_MIGRATIONS } from '../apps/pricing/src/migrations/index.js';
import { HttpClient } from './http-client.js';

export interface Gateway extends RunningService {
  url: string;
}

/** A service of the system: its first process, and how to start another. */
export interface SystemService extends RunningService {
  /** What its processes are told. */
  environment: Record<string, string>;
  start(): Promise<RunningService>;
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
  activityEvents: SystemService;
  deviceState: SystemService;
  firmware: SystemService;
  messages: SystemService;
  pricing: SystemService;
  stop(): Promise<void>;
}

/** All of Flotilla over a real Postgres and a real NATS, for the tests of one file. */
export async function startSystem(
  environment: Record<string, string> = {},
  { tellsAudit = true }: { tellsAudit?: boolean } = {},
): Promise<System> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const keys = {
    KEY_SECRET: randomUUID() + randomUUID(),
    FLOTILLA_OPERATOR_KEY: randomKey('operator'),
    FLOTILLA_ADMIN_KEY: randomKey('member'),
  };
  const running: { stop(): Promise<void> }[] = [];
  const started = <T extends { stop(): Promise<void> }>(service: T): T => {
    running.push(service);
    return service;
  };
  if (!tellsAudit) started(await holdBackAudit(database_url));

  const startService = async <Config extends AppConfig>(
    sources: ServiceSources<Config>,
  ): Promise<SystemService> => {
    const prepared = await prepareApp(sources, database_url, nats);
    const own = { ...prepared.environment, ...environment };
    const start = async (): Promise<RunningService> => {
      const config = loadConfig(sources.config, own);
      return started(await startReplica(sources.module.forRoot(config), config));
    };
    return { ...(await start()), environment: own, start };
  };

  const authTables = { name: 'gateway', tables: auth, migrations: AUTH_MIGRATIONS };
  const prepared = await prepareApp(authTables, database_url, nats);
  // A busy machine refuses no test its requests; that a gateway does refuse some is a test of its own.
  const patient = { EVENT_LOOP_DELAY_MS: '60000' };
  const gatewayEnvironment = { ...prepared.environment, ...keys, ...patient, ...environment };
  const startGateway = async (own: Record<string, string> = {}): Promise<Gateway> => {
    const config = loadConfig(GatewayConfig, { ...gatewayEnvironment, ...own });
    const app = await createGateway(config);
    const service = await runService(app, config, () => app.listen(0, '127.0.0.1'));
    return started({ ...service, url: await app.getUrl() });
  };

  const services = {
    activityEvents: await startService({
      name: 'activity-events',
      config: ActivityEventsConfig,
      module: ActivityEventsModule,
      tables: activityEvents,
      migrations: ACTIVITY_EVENTS_MIGRATIONS,
    }),
    deviceState: await startService({
      name: 'device-state',
      config: DeviceStateConfig,
      module: DeviceStateModule,
      tables: deviceState,
      migrations: DEVICE_STATE_MIGRATIONS,
    }),
    firmware: await startService({
      name: 'firmware',
      config: FirmwareConfig,
      module: FirmwareModule,
      tables: firmware,
      migrations: FIRMWARE_MIGRATIONS,
    }),
    messages: await startService({
      name: 'messages',
      config: MessagesConfig,
      module: MessagesModule,
      tables: messages,
      migrations: MESSAGES_MIGRATIONS,
    }),
    pricing: await startService({
      name: 'pricing',
      config: PricingConfig,
      module: PricingModule,
      tables: pricing,
      migrations: PRICING_MIGRATIONS,
    }),
  };
  const gateway = await startGateway();
  const { url } = gateway;
  return {
    ...services,
    url,
    gateway,
    database_url,
    nats,
    operator: new HttpClient(url, keys.FLOTILLA_OPERATOR_KEY),
    admin: new HttpClient(url, keys.FLOTILLA_ADMIN_KEY),
    anotherGateway: startGateway,
    async stop() {
      await Promise.all(running.map((one) => one.stop()));
      await nats.stop();
    },
  };
}

/** Leads the audit instead of the gateways, and does nothing: projects have no events but those that a test records. */
async function holdBackAudit(database_url: string): Promise<{ stop(): Promise<void> }> {
  const client = new Client({ connectionString: database_url });
  // A test may cut off all connections; this one is then no longer needed.
  client.on('error', () => undefined);
  await client.connect();
  await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [`${AUDIT_FEED.table} relay`]);
  return { stop: () => client.end() };
}
