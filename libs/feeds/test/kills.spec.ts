import { setTimeout } from 'node:timers/promises';
import { eventually } from '#testing';
import { end, feedWorld, type FeedWorld } from './feed-world.js';
import { SCHEMA } from './things.js';

const ROWS = 50_000;
const WRITERS = 16;
const KILLS = 20;
const MOST_A_TRANSACTION = 160;
const LONGEST_OPEN_MS = 500;
/** Each kill is followed by the start of a process, which takes a busy machine some seconds. */
const PATIENCE_MS = 300_000;

describe('a feed', () => {
  let world: FeedWorld;
  beforeAll(async () => {
    world = await feedWorld();
  });
  afterAll(() => world.stop());

  /** Transactions that stay open for a while, one after another, until all writers together have written enough. */
  const write = async (left: { rows: number }): Promise<void> => {
    const client = await world.connect();
    while (left.rows > 0) {
      const count = Math.min(left.rows, 1 + Math.floor(Math.random() * MOST_A_TRANSACTION));
      left.rows -= count;
      await client.query('BEGIN');
      await world.insert(count >> 1, { on: client });
      await setTimeout(Math.random() * LONGEST_OPEN_MS);
      await world.insert(count - (count >> 1), { on: client });
      await client.query('COMMIT');
    }
    await client.end();
  };
  const effects = async (): Promise<{ all: number; different: number }> => {
    const [counts] = await world.query<{ all: number; different: number }>(
      `SELECT count(*)::int AS all, count(DISTINCT entry_id)::int AS different FROM ${SCHEMA}.effects`,
    );
    return counts!;
  };

  it(
    `skips and repeats none of ${ROWS} rows of ${WRITERS} writers while its processes are killed ${KILLS} times`,
    async () => {
      const processes = [await world.fork(), await world.fork()];
      const left = { rows: ROWS };
      const writing = Promise.all(Array.from({ length: WRITERS }, () => write(left)));
      for (let kills = 0; kills < KILLS; kills += 1) {
        const goal = (await effects()).all + Math.random() * 0.02 * ROWS;
        await eventually(async () => left.rows === 0 || (await effects()).all >= goal, 30_000);
        await end(processes.shift()!);
        processes.push(await world.fork());
      }
      await writing;

      await eventually(async () => (await effects()).all >= ROWS, 30_000);
      expect(await effects()).toEqual({ all: ROWS, different: ROWS });
      const published = await world.publishedIds();
      expect(published).toHaveLength(ROWS);
      expect(new Set(published).size).toBe(ROWS);
    },
    PATIENCE_MS,
  );
});
