import { type Client } from 'pg';
import { withClient } from './bench.js';

/** The `transaction_id` of rows that come before all feeds: no relay has to publish what was only put there to be read. */
export const BEFORE_FEEDS = -1;

/**
 * Fills tables past the product, without their indexes: those are made again from the same definitions, which is
 * many times faster than row by row. Leaves the tables as autovacuum would.
 */
export async function fillTables(
  admin_url: string,
  tables: readonly string[],
  fill: (client: Client) => Promise<void>,
): Promise<void> {
  await withClient(admin_url, async (client) => {
    await client.query('BEGIN');
    await client.query(`SET LOCAL work_mem = '256MB'; SET LOCAL maintenance_work_mem = '512MB'`);
    const indexes = await indexesOf(client, tables);
    for (const { drop } of indexes) await client.query(drop);
    await fill(client);
    for (const { create } of indexes) await client.query(create);
    await client.query('COMMIT');
    await client.query(`VACUUM (ANALYZE) ${tables.join(', ')}`);
    await client.query('CHECKPOINT');
  });
}

interface Index {
  drop: string;
  create: string;
}

/** Of a partitioned table, those that its partitions have theirs from. */
async function indexesOf(client: Client, tables: readonly string[]): Promise<Index[]> {
  const { rows } = await client.query<Index>(
    `SELECT
       CASE WHEN conname IS NULL THEN format('DROP INDEX %s', indexrelid::regclass)
            ELSE format('ALTER TABLE %s DROP CONSTRAINT %I', indrelid::regclass, conname) END AS drop,
       CASE WHEN conname IS NULL THEN replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ')
            ELSE format('ALTER TABLE %s ADD CONSTRAINT %I %s', indrelid::regclass, conname,
                        pg_get_constraintdef(pg_constraint.oid)) END AS create
     FROM pg_index LEFT JOIN pg_constraint ON conindid = indexrelid AND contype IN ('p', 'u')
     WHERE indrelid = ANY ($1::text[]::regclass[])`,
    [tables],
  );
  return rows;
}
