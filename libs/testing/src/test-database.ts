import { randomUUID } from 'node:crypto';
import { Client } from 'pg';

/** A fresh database in this worker's Postgres, as the superuser. */
export async function testDatabase(): Promise<string> {
  const url = serverOfWorker();
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(`CREATE DATABASE ${name}`);
  await client.end();
  url.pathname = `/${name}`;
  return url.href;
}

/** One statement on a database, e.g. to look behind the product's back. */
export async function queryDatabase<Row>(url: string, sql: string, values: unknown[] = []): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** One of those that the run has started, see global-setup.js. */
function serverOfWorker(): URL {
  const servers = process.env.TEST_DATABASE_URLS!.split(' ');
  return new URL(servers[Number(process.env.JEST_WORKER_ID) - 1]!);
}
