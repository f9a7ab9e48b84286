import { setTimeout } from 'node:timers/promises';
import { DataSource, type DataSourceOptions } from 'typeorm';
import pg from 'pg';
import { PatientPool } from './patient-pool.js';
import { ProjectClient } from './project-client.js';

/** What a service says of itself to connect to its schema. */
export interface SchemaOptions {
  /** The service's own schema; nothing outside it is touched. */
  schema: string;
  url: string;
  entities: NonNullable<DataSourceOptions['entities']>;
  /** Whether it finds rows by parts of texts or labels, and sorts those that it has found (decision 73). */
  searches?: boolean;
}

const MOST_CONNECTIONS = 8;

/**
 * At most: the pool's, one that leads or waits for the lead of a feed, one of an archive's or a lease's own, and one that
 * keeps partitions.
 */
export const CONNECTIONS_A_PROCESS = MOST_CONNECTIONS + 3;

/** A page is read from an index in its order until it is full, however few rows Postgres expects there to be (decision 73). */
const READS_IN_ORDER = '-c enable_sort=off';

/** How every service connects: a small pool, bounded waits, its projects with each statement, no change of the schema. */
export function dataSourceOptions({ schema, url, entities, searches }: SchemaOptions): DataSourceOptions {
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
      Client: ProjectClient,
      options: searches ? undefined : READS_IN_ORDER,
      onConnect: async (client: ProjectClient) => {
        await client.requireDurability();
        await client.prepare();
      },
      // So that one which is stuck does not leave a service with none.
      min: 2,
      max: MOST_CONNECTIONS,
      // Of making one; who asks for one waits less, see the pool.
      connectionTimeoutMillis: 5_000,
      statement_timeout: 5_000,
      lock_timeout: 2_000,
      idle_in_transaction_session_timeout: 15_000,
      keepAlive: true,
    },
  };
}

/** So long a migration waits for a table that somebody uses: whoever asks for that table meanwhile waits behind it. */
const LOCK_TIMEOUT_MS = 1_000;
/** Then they go on for so long. */
const PAUSE_MS = 2_000;
const TRIES = 60;
const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Brings a schema up to date: each pending migration in its own transaction, one migrator at a time. Runs as
 * the role of `url`, which owns the schema; services run as another role that may only use it. They go on meanwhile: of a
 * table that somebody reads for long, a dump say, a migration waits for the end in short tries, for some minutes at most.
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
    extra: { lock_timeout: LOCK_TIMEOUT_MS },
  });
  await source.initialize();
  const lock = source.createQueryRunner();
  try {
    await lock.query('SET lock_timeout = 0');
    await lock.query('SELECT pg_advisory_lock(hashtext($1))', [`migrate ${schema}`]);
    await runPending(source);
    // What has been migrated is the owner's to say.
    await source.query(`REVOKE ALL ON "${schema}"."migrations" FROM "${schema}"`);
  } finally {
    await lock.release();
    await source.destroy();
  }
}

async function runPending(source: DataSource): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await source.runMigrations();
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== LOCK_NOT_AVAILABLE || tries === TRIES) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}
