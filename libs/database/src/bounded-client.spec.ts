import { DataSource } from 'typeorm';
import { DIRECTIONS, eventually, Link, queryDatabase, testDatabase } from '#testing';
import { dataSourceOptions } from './data-source.js';
import { Database } from './database.js';

const SCHEMA = 'public';

describe('a database that is cut off without a word', () => {
  let admin_url: string;
  let link: Link;
  let source: DataSource;
  let database: Database;

  beforeEach(async () => {
    admin_url = await testDatabase();
    const url = new URL(admin_url);
    link = await Link.to(Number(url.port));
    url.port = String(link.port);
    source = await new DataSource(
      dataSourceOptions({ schema: SCHEMA, url: url.href, entities: [] }),
    ).initialize();
    database = new Database(source);
  });
  afterEach(async () => {
    await source.destroy();
    link.close();
  });

  const unavailable = expect.objectContaining({ code: 'unavailable' }) as object;

  it('fails what waits on a connection that was idle for long before', async () => {
    await database.ping();
    await eventually(() => hasIdleConnection(admin_url), 15_000);
    link.silence(DIRECTIONS);
    await expect(database.ping()).rejects.toEqual(unavailable);
  });

  it('fails what waits for its answer, and serves again over new connections', async () => {
    const statement = database.rows('SELECT pg_sleep(0.2)');
    const transaction = database.transaction((manager) => manager.query('SELECT pg_sleep(0.2)'));
    await eventually(() => database.part.gauges.database_connections.read() >= 2);
    link.silence(DIRECTIONS);
    const outcomes = Promise.all([
      expect(statement).rejects.toEqual(unavailable),
      expect(transaction).rejects.toEqual(unavailable),
    ]);
    await outcomes;
    link.forget();
    await database.ping();
  });
});

/** Idle for longer than silence is borne. */
async function hasIdleConnection(url: string): Promise<boolean> {
  const idle = await queryDatabase(
    url,
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'idle' AND clock_timestamp() - state_change > interval '6500 ms'`,
  );
  return idle.length > 0;
}
