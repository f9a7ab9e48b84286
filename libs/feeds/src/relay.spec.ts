import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { eventually, Link } from '#testing';
import { FEED_START } from '#contracts';
import { batchesOf } from './feed-batch.js';
import { FeedStream, streamName } from './feed-stream.js';
import { feedWorld, type FeedWorld } from '../test/feed-world.js';
import { SCHEMA } from '../test/things.js';

const STREAM = streamName('event');
const LIMITS = { replicas: 1, max_bytes: 256 * 1024 * 1024 };

describe('the relay', () => {
  let world: FeedWorld;
  beforeEach(async () => {
    Logger.overrideLogger(false);
    world = await feedWorld();
  });
  afterEach(() => world.stop());

  /** Exactly these, in this order, each batch behind the one before. */
  const expectPublished = async (ids: string[]): Promise<void> => {
    // To say in what hundreds of ids differ takes long: not while the relay works, in this process.
    await eventually(async () => (await world.publishedIds()).length >= ids.length, 20_000);
    await eventually(async () => {
      const batches = await world.published();
      expect(batches.flatMap(({ entries }) => entries.map(({ head }) => head.id))).toEqual(ids);
      batches.slice(1).forEach(({ after }, index) => expect(after).toEqual(batches[index]!.position));
    }, 20_000);
  };
  const cut = async (whom: string): Promise<void> => {
    const service = await world.connect();
    await service.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND ${whom}`,
    );
    await service.end();
  };
  const cutTheLead = (): Promise<void> =>
    cut("pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')");

  it('publishes each row once, in the order of transactions', async () => {
    const before = await world.insert(3);
    await world.start();
    await expectPublished(before);
    const after = await world.insert(700);
    await expectPublished([...before, ...after]);
  });

  it('publishes each row once, in order, when no read has room for what it asks', async () => {
    const small = await world.insert(3);
    const large = await world.insert(60, { note: '漢'.repeat(80_000) });
    const ids = [...small, ...large, ...(await world.insert(3))];
    await world.start();
    await expectPublished(ids);
    await expectPublished([...ids, ...(await world.insert(2, { note: '漢'.repeat(80_000) }))]);
  });

  it('skips nothing that commits late', async () => {
    await world.start();
    const slow = await world.connect();
    await slow.query('BEGIN');
    const late = await world.insert(2, { on: slow });
    const quick = await world.insert(2);
    await slow.query('COMMIT');
    await slow.end();
    await expectPublished([...late, ...quick]);
  });

  it('tells as its lag how long a transaction that stays open has held the feed back', async () => {
    const { relay } = await world.start();
    const lag = (): number => relay.part.gauges.feed_lag_s.read();
    const slow = await world.connect();
    await slow.query('BEGIN');
    const late = await world.insert(1, { on: slow });
    const held = await world.insert(1);
    await eventually(() => lag() > 0);
    await slow.query('COMMIT');
    await slow.end();
    await expectPublished([...late, ...held]);
    await eventually(() => lag() === 0);
  });

  it('publishes nothing that is not committed in the end', async () => {
    await world.start();
    const other = await world.connect();
    await other.query('BEGIN');
    await world.insert(2, { on: other });
    const kept = await world.insert(2);
    await other.query('ROLLBACK');
    await other.end();
    await expectPublished(kept);
  });

  it('publishes what is committed before it stops, and goes on there when it starts', async () => {
    const first = await world.start();
    await expectPublished([]);
    const ids = await world.insert(1_000);
    await first.stop();
    expect(await world.publishedIds()).toEqual(ids);
    await world.start();
    await expectPublished([...ids, ...(await world.insert(5))]);
  });

  it('is one at a time, and another when its connection is cut', async () => {
    const replicas = [await world.start(), await world.start()];
    const leads = (): number =>
      replicas.reduce((sum, { relay }) => sum + relay.part.gauges.feed_leads.read(), 0);
    await eventually(() => leads() === 1);
    const ids: string[] = [];
    for (let cuts = 0; cuts < 3; cuts += 1) {
      ids.push(...(await world.insert(10)));
      await cutTheLead();
      ids.push(...(await world.insert(10)));
      await expectPublished(ids);
    }
    await eventually(() => leads() === 1);
  });

  it('that waits while another leads has no problem and no lag, whatever it had before', async () => {
    const replicas = [await world.start(), await world.start()];
    const problems = (): Promise<boolean[]> =>
      Promise.all(
        replicas.map(({ relay }) => relay.part.check().then(...([() => false, () => true] as const))),
      );
    await expectPublished(await world.insert(10));
    await cut("application_name LIKE '% relay'");
    await eventually(async () => expect(await problems()).toEqual([true, true]));
    await eventually(async () => expect(await problems()).toEqual([false, false]));
    expect(replicas.map(({ relay }) => relay.part.gauges.feed_lag_s.read())).toEqual([0, 0]);
  });

  it('waits for a NATS that is away', async () => {
    const { relay } = await world.start();
    const ids = await world.insert(10);
    await expectPublished(ids);
    const nats = await world.nats.crash();
    ids.push(...(await world.insert(600)));
    await eventually(() => relay.part.check().then(...([() => false, () => true] as const)));
    await nats.restart();
    await expectPublished(ids);
    await relay.part.check();
  });

  it('waits for no answer that was on its way when the connection was cut', async () => {
    const url = new URL(world.nats.url);
    const link = await Link.to(Number(url.port));
    url.port = String(link.port);
    const { relay } = await world.start(url.href);
    const ids = await world.insert(1);
    await expectPublished(ids);
    link.silence(['down']);
    ids.push(...(await world.insert(1)));
    await expectPublished(ids);
    link.cut();
    await eventually(() => expect(relay.part.check()).rejects.toThrow('NATS is gone'));
    link.heal();
    ids.push(...(await world.insert(1)));
    await expectPublished(ids);
    link.close();
  });

  it('fills a stream anew that was wiped under it', async () => {
    await world.start();
    const ids = await world.insert(300);
    await expectPublished(ids);
    await (await world.streams()).delete(STREAM);
    ids.push(...(await world.insert(300)));
    await eventually(async () => (await world.publishedIds()).length === ids.length);
    await expectPublished(ids);
  });

  it('fills a stream anew that was wiped while there was nothing to publish', async () => {
    const { relay } = await world.start();
    const ids = await world.insert(300);
    await expectPublished(ids);
    await (await world.streams()).delete(STREAM);
    await expectPublished(ids);
    await relay.part.check();
  });

  it.each(['purge', 'delete'] as const)('fills a stream anew after a %s while it was down', async (wipe) => {
    const first = await world.start();
    const ids = await world.insert(300);
    await expectPublished(ids);
    await first.stop();
    await (await world.streams())[wipe](STREAM);
    ids.push(...(await world.insert(300)));
    await world.start();
    await expectPublished(ids);
  });

  it('fills a stream with what it keeps, and with nothing much older', async () => {
    const ago = (days: number): string => new Date(Date.now() - days * 86_400_000).toISOString();
    for (const days of [30, 20, 10, 8]) await world.insert(20, { recorded_at: ago(days) });
    const kept: string[] = [];
    for (const days of [6, 3, 1]) kept.push(...(await world.insert(20, { recorded_at: ago(days) })));
    await world.start();
    await expectPublished(kept);
  });

  const publishForeign = async (transaction_id: string): Promise<void> => {
    const stream = new FeedStream(world.connection.nats, 'event', LIMITS);
    const { sequence } = await stream.open();
    const position: [string, string] = [transaction_id, uuidv7()];
    const head = { project_id: world.project_id, position, id: position[1], device_id: null };
    const [batch] = batchesOf('event', FEED_START, [{ head, body: '{}' }]);
    await stream.publish(batch!, sequence);
  };

  it('begins a stream anew that is of another database', async () => {
    await publishForeign('1000000000000');
    const ids = await world.insert(3);
    await world.start();
    await expectPublished(ids);
  });

  it('begins a stream anew that is of before a restore, whose numbers the database has come past', async () => {
    const recorded_at = new Date(Date.now() + 3_600_000).toISOString();
    const ids = await world.insert(3, { recorded_at });
    const [now] = await world.query<{ number: string }>('SELECT pg_current_xact_id()::text AS number');
    await publishForeign(now!.number);
    await world.start();
    await expectPublished([...ids, ...(await world.insert(3))]);
  });

  it('goes on behind a row that was deleted since', async () => {
    const first = await world.start();
    const ids = await world.insert(3);
    await expectPublished(ids);
    await first.stop();
    await world.query(`DELETE FROM ${SCHEMA}.things WHERE id = $1`, [ids[2]]);
    await world.start();
    await expectPublished([...ids, ...(await world.insert(3))]);
  });

  it('goes on behind a message that is none of its own', async () => {
    await world.start();
    const ids = await world.insert(3);
    await expectPublished(ids);
    await world.stray();
    ids.push(...(await world.insert(3)));
    await expectPublished(ids);
  });

  it('forks nothing when it does not know that it has lost the lead', async () => {
    await world.start();
    const ids = await world.insert(3);
    await expectPublished(ids);
    const stream = new FeedStream(world.connection.nats, 'event', LIMITS);
    const { sequence } = await stream.open();
    ids.push(...(await world.insert(3)));
    await expectPublished(ids);
    const [first] = await world.published();
    await expect(stream.publish(first!, sequence)).rejects.toThrow('wrong last sequence');
    await expectPublished(ids);
  });
});
