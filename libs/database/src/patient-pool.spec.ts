import { eventually, Link, testDatabase } from '#testing';
import { PatientPool } from './patient-pool.js';

describe('a pool on a machine that makes connections slowly', () => {
  it('refuses who waits too long, and has the connection for who comes later', async () => {
    const url = new URL(await testDatabase());
    const link = await Link.to(Number(url.port));
    url.port = String(link.port);
    const pool = new PatientPool({ connectionString: url.href, connectionTimeoutMillis: 20_000, max: 1 });
    // A connection takes several trips, so that a second each is too slow for anybody who waits.
    link.delay(1_000);
    const made = new Promise((resolve) => pool.once('connect', resolve));
    await expect(pool.query('SELECT 1')).rejects.toThrow('timeout exceeded when trying to connect');
    await made;
    link.heal();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(pool.totalCount).toBe(1);
    await pool.end();
    link.close();
  });

  it('serves who waits from the connection that comes free first, not from one that is made for it', async () => {
    const url = new URL(await testDatabase());
    let wires = 0;
    // No second connection is ever made.
    const link = await Link.to(Number(url.port), () => {
      wires += 1;
      const isFirst = wires === 1;
      return (chunk) => (isFirst ? chunk : Buffer.alloc(0));
    });
    url.port = String(link.port);
    const pool = new PatientPool({ connectionString: url.href, connectionTimeoutMillis: 2_000, max: 4 });
    const first = pool.query('SELECT pg_sleep(0.1)');
    await eventually(() => wires === 1);
    const others = Array.from({ length: 20 }, () => pool.query('SELECT 1 AS one'));
    await first;
    for (const other of others) expect((await other).rows).toEqual([{ one: 1 }]);
    await pool.end();
    link.close();
  });
});

describe('a pool all of whose connections are in use', () => {
  it('refuses who waits too long, and lives on', async () => {
    const pool = new PatientPool({ connectionString: await testDatabase(), max: 1 });
    const client = await pool.connect();
    const refused = expect(pool.query('SELECT 1')).rejects.toThrow('timeout exceeded when trying to connect');
    expect(pool.callersWaiting).toBe(1);
    await refused;
    expect(pool.callersWaiting).toBe(0);
    client.release();
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });

  it('serves who waits for one that came free while the process stood still', async () => {
    const pool = new PatientPool({ connectionString: await testDatabase(), max: 1 });
    await pool.query('SELECT 1');
    const first = pool.query('SELECT pg_sleep(0.2)');
    const second = pool.query('SELECT 1 AS one');
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Of all the phases of the event loop one that timers follow.
    setImmediate(() => {
      const until = performance.now() + 2_500;
      while (performance.now() < until);
    });
    await first;
    expect((await second).rows).toEqual([{ one: 1 }]);
    await pool.end();
  });
});
