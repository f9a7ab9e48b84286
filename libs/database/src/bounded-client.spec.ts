import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { DataSource } from 'typeorm';
import { DIRECTIONS, eventually, Link, queryDatabase, testDatabase } from '#testing';
import { BoundedClient } from './bounded-client.js';
import { dataSourceOptions } from './data-source.js';
import { Database } from './database.js';
import { Lead } from './lead.js';

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

  it('is left behind by whoever ends a connection, or gives up a lead', async () => {
    const url = new URL(admin_url);
    const sockets: Socket[] = [];
    // What is said is heard, but for the last: that it is over.
    const deaf = createServer({ allowHalfOpen: true }, (near) => {
      const far = connect(Number(new URL(admin_url).port), '127.0.0.1');
      near.pipe(far, { end: false }).pipe(near, { end: false });
      sockets.push(near, far);
    }).listen(0, '127.0.0.1');
    await once(deaf, 'listening');
    url.port = String((deaf.address() as AddressInfo).port);
    const client = new BoundedClient(url.href);
    await client.connect();
    const lead = await Lead.wait(url.href, 'one', new AbortController().signal);
    const began = performance.now();
    await Promise.all([client.end(), lead!.giveUp()]);
    expect(performance.now() - began).toBeLessThan(2_000);
    for (const socket of sockets) socket.destroy();
    deaf.close();
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
