import { queryDatabase } from './test-database.js';

/** What Postgres has counted of a table and its indexes. */
interface Counts {
  rows: number;
  scans: number;
}

/** How many rows of a table and entries of its indexes a service reads meanwhile, as Postgres counts; its feed aside. */
export async function rowsRead(...reading: Parameters<typeof readMeanwhile>): Promise<number> {
  return (await readMeanwhile(...reading)).rows;
}

/** As `rowsRead`, how often it begins to read. */
export async function scansMade(...reading: Parameters<typeof readMeanwhile>): Promise<number> {
  return (await readMeanwhile(...reading)).scans;
}

async function readMeanwhile(
  service_url: string,
  table: string,
  work: () => Promise<unknown>,
): Promise<Counts> {
  const before = await readUntilNow(service_url, table);
  await work();
  const after = await readUntilNow(service_url, table);
  return { rows: after.rows - before.rows, scans: after.scans - before.scans };
}

/** A connection tells what it has read when it ends, at the latest. */
async function readUntilNow(service_url: string, table: string): Promise<Counts> {
  await queryDatabase(
    service_url,
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()`,
  );
  const [row] = await queryDatabase<Counts>(
    service_url,
    `WITH part AS (SELECT relid FROM pg_partition_tree($1::regclass) UNION SELECT $1::regclass)
     SELECT sum(rows)::int AS rows, sum(scans)::int AS scans FROM (
       SELECT seq_tup_read, seq_scan FROM pg_stat_user_tables JOIN part USING (relid)
       UNION ALL
       SELECT idx_tup_read, idx_scan FROM pg_stat_user_indexes JOIN part USING (relid)
       WHERE indexrelname NOT LIKE '%transaction_id%'
     ) AS counted (rows, scans)`,
    [table],
  );
  return row!;
}
