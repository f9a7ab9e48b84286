import { queryDatabase } from './test-database.js';

/** How many rows of a table and entries of its indexes a service reads meanwhile, as Postgres counts; its feed aside. */
export async function rowsRead(
  service_url: string,
  table: string,
  work: () => Promise<unknown>,
): Promise<number> {
  const before = await readUntilNow(service_url, table);
  await work();
  return (await readUntilNow(service_url, table)) - before;
}

/** A connection tells what it has read when it ends, at the latest. */
async function readUntilNow(service_url: string, table: string): Promise<number> {
  await queryDatabase(
    service_url,
    `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
     WHERE usename = current_user AND datname = current_database() AND pid <> pg_backend_pid()`,
  );
  const [row] = await queryDatabase<{ rows: number }>(
    service_url,
    `WITH part AS (SELECT relid FROM pg_partition_tree($1::regclass) UNION SELECT $1::regclass)
     SELECT (SELECT sum(seq_tup_read) FROM pg_stat_user_tables JOIN part USING (relid))::int
          + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes JOIN part USING (relid)
             WHERE indexrelname NOT LIKE '%transaction_id%')::int AS rows`,
    [table],
  );
  return row!.rows;
}
