import { type DynamicModule } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Bus, BusConnection, busServer, type CallLimits } from '#bus';
import { migrate, type SchemaOptions } from '#database';
import { prepareSchema, type SchemaUrls } from '#embedded';
import { loadConfig, runService, type AppConfig, type RunningService } from '#service';
import { testDatabase } from './test-database.js';
import { testNats, type TestNats } from './test-nats.js';

/** What an app keeps, and as whom NATS knows it. */
export interface AppTables {
  name: string;
  tables: { SCHEMA: string; ENTITIES: SchemaOptions['entities'] };
  migrations: Parameters<typeof migrate>[1];
}

export interface ServiceSources<Config extends AppConfig> extends AppTables {
  config: new () => Config;
  module: { forRoot(config: Config): DynamicModule };
}

/** Makes an app's tables. @returns what its processes are told */
export async function prepareApp(
  { name, tables: { SCHEMA, ENTITIES }, migrations }: AppTables,
  database_url: string,
  nats: TestNats,
): Promise<{ urls: SchemaUrls; environment: Record<string, string> }> {
  const urls = await prepareSchema(database_url, SCHEMA);
  await migrate({ schema: SCHEMA, url: urls.owner, entities: ENTITIES }, migrations);
  const own = { DATABASE_URL: urls.service, NATS_URL: nats.urlOf(name) };
  return { urls, environment: { ...own, HEALTH_PORT: '0', LOG_LEVEL: 'silent' } };
}

/** A replica of a service, as its process would be, within this one; patient, as a busy machine refuses no test its calls. */
export async function startReplica(module: DynamicModule, config: AppConfig): Promise<RunningService> {
  const app = await NestFactory.createMicroservice(module, {
    ...busServer({ loop_delay_ms: Infinity }),
    logger: false,
  });
  return runService(app, config, () => app.listen());
}

export interface TestService<Config extends AppConfig> {
  /** As the superuser. */
  database_url: string;
  urls: SchemaUrls;
  /** The environment of a replica, e.g. to run one as a process. */
  environment: Record<string, string>;
  /** Another replica, of the service's own module unless told. */
  start(
    environment?: Record<string, string>,
    moduleOf?: (config: Config) => DynamicModule,
  ): Promise<RunningService>;
  /** Calls the service, as another gateway does, but patient: a busy machine refuses no test its calls. */
  gateway(limits?: Partial<CallLimits>): Promise<Bus>;
  stop(): Promise<void>;
}

/** A service alone, over a real Postgres and a real NATS, for the tests of one file; no replica of it runs yet. */
export async function testService<Config extends AppConfig>(
  sources: ServiceSources<Config>,
): Promise<TestService<Config>> {
  const [database_url, nats] = await Promise.all([testDatabase(), testNats()]);
  const { urls, environment } = await prepareApp(sources, database_url, nats);
  const replicas: RunningService[] = [];
  const connections: BusConnection[] = [];
  return {
    database_url,
    urls,
    environment,
    async start(own = {}, moduleOf = (config) => sources.module.forRoot(config)) {
      const config = loadConfig(sources.config, { ...environment, ...own });
      const replica = await startReplica(moduleOf(config), config);
      replicas.push(replica);
      return replica;
    },
    async gateway(limits) {
      const connection = await BusConnection.open({ name: 'gateway', url: nats.urlOf('gateway') });
      connections.push(connection);
      return new Bus(connection, { deadline_ms: 20_000, longest_wait_ms: 20_000, ...limits });
    },
    async stop() {
      await Promise.all(connections.map((connection) => connection.close()));
      await Promise.all(replicas.map((replica) => replica.stop()));
      await nats.stop();
    },
  };
}
