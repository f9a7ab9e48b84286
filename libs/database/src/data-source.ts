import { DataSource, type DataSourceOptions } from 'typeorm';
import pg from 'pg';
import { BoundedClient } from './bounded-client.js';
import { PatientPool } from './patient-pool.js';

export interface SchemaOptions {
  /** The service's own schema; nothing outside it is touched. */
  schema: string;
  url: string;
  entities: NonNullable<DataSourceOptions['entities']>;
}

/** How every service connects: a small pool, bounded waits, and nothing that changes the schema. */
export function dataSourceOptions({ schema, url, entities }: SchemaOptions): DataSourceOptions {
  return {
    type: 'postgres',
    url,
    schema,
    entities,
    synchronize: false,
    migrationsRun: false,
    applicationName: schema,
    driver: { ...pg, Pool: PatientPool },
    extra: {
      Client: BoundedClient,
      max: 8,
      // Of making one; who asks for one waits less, see the pool.
      connectionTimeoutMillis: 5_000,
      statement_timeout: 5_000,
      lock_timeout: 2_000,
      idle_in_transaction_session_timeout: 15_000,
      keepAlive: true,
    },
  };
}

/**
 * Brings a schema up to date: each pending migration in its own transaction, one migrator at a time. Runs as
 * the role of `url`, which owns the schema; services run as another role that may only use it.
 */
export async function migrate(
  { schema, url, entities }: SchemaOptions,
  migrations: NonNullable<DataSourceOptions['migrations']>,
): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    url,
    schema,
    entities,
    migrations,
    migrationsTableName: 'migrations',
    migrationsTransactionMode: 'each',
  });
  await source.initialize();
  const lock = source.createQueryRunner();
  try {
    await lock.query('SELECT pg_advisory_lock(hashtext($1))', [`migrate ${schema}`]);
    await source.runMigrations();
  } finally {
    await lock.release();
    await source.destroy();
  }
}
