import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { v7 as uuidv7 } from 'uuid';
import { FEED_START, isBehind, withinProjects, type FeedPosition } from '#contracts';
import { rowsRead } from '#testing';
import { Feed, feedColumn } from './feed.js';
import { projectWall } from './project-wall.js';
import { testSchema, type TestSchema } from '../test/test-schema.js';

const SCHEMA = 'feed_test';
const PROJECTS: [string, string] = [randomUUID(), randomUUID()];

describe('the feed of a table', () => {
  const feed = new Feed<{ note: string }>({
    table: `${SCHEMA}.things`,
    columns: ['note'],
    recorded_at: 'recorded_at',
  });
  let schema: TestSchema;
  beforeEach(async () => {
    schema = await testSchema(
      SCHEMA,
      `CREATE TABLE ${SCHEMA}.things (project_id uuid, id uuid, note text, recorded_at timestamptz DEFAULT now())`,
      `INSERT INTO ${SCHEMA}.things VALUES ('${PROJECTS[0]}', '${uuidv7()}', 'before there was a feed', '2026-01-01')`,
      ...feedColumn(SCHEMA, 'things'),
    );
  });
  afterEach(() => schema.close());

  const insert = async (
    note: string,
    { project_id = PROJECTS[0], recorded_at = new Date() } = {},
  ): Promise<unknown> =>
    schema.asService(
      `INSERT INTO ${SCHEMA}.things (project_id, id, note, recorded_at) VALUES ($1, $2, $3, $4)`,
      [project_id, uuidv7(), note, recorded_at],
    );
  /** All that there is behind a position, so many rows at a time. */
  const walk = async (after: FeedPosition, limit = 100): Promise<string[]> => {
    const notes: string[] = [];
    for (;;) {
      const { rows } = await feed.next(schema.database, after, limit);
      if (rows.length === 0) return notes;
      notes.push(...rows.map(({ note }) => note));
      after = [rows.at(-1)!.transaction_id, rows.at(-1)!.id];
    }
  };
  const walkProject = async (project_id: string, limit: number): Promise<string[]> => {
    const notes: string[] = [];
    for (let after = FEED_START; ;) {
      const { rows, position } = await feed.ofProject(schema.database, project_id, after, limit);
      notes.push(...rows.map(({ note }) => note));
      if (!isBehind(position, after) || rows.length === 0) return notes;
      after = position;
    }
  };

  it('begins with what was there before it, and has everything once, whatever the size of a page', async () => {
    for (const note of ['a', 'b', 'c', 'd']) await insert(note);
    const all = ['before there was a feed', 'a', 'b', 'c', 'd'];
    expect(await walk(FEED_START, 2)).toEqual(all);
    expect(await walk(FEED_START, 100)).toEqual(all);
  });

  it('has everything once, of all projects and of one, when no read has room for what it asks', async () => {
    const notes = Array.from({ length: 12 }, (_, index) => String(index).padStart(1_000_000, 'x'));
    for (const note of notes) await insert(note);
    const { rows, isCut } = await feed.next(schema.database, ['1', FEED_START[1]], 100);
    // Of five that came the last may share its position with one that did not.
    expect([rows.length, isCut]).toEqual([4, true]);
    // Not toEqual of the notes: what is different would be megabytes.
    expect((await walk(['1', FEED_START[1]])).join() === notes.join()).toBe(true);
    const [, ...ofProject] = await walkProject(PROJECTS[0], 100);
    expect(ofProject.join() === notes.join()).toBe(true);
  });

  describe('where two projects chose one id in one transaction', () => {
    /** Rows of one transaction, their ids in this order. */
    const insertTogether = (rows: { id: string; project_id: string; note: string }[]): Promise<unknown> =>
      schema.asService(
        `INSERT INTO ${SCHEMA}.things (project_id, id, note)
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[])`,
        [rows.map((row) => row.project_id), rows.map((row) => row.id), rows.map((row) => row.note)],
      );
    const twins = (note: string): { id: string; project_id: string; note: string }[] => {
      const id = uuidv7();
      return PROJECTS.map((project_id, index) => ({ id, project_id, note: `${note} ${index}` }));
    };

    it.each([1, 2, 3, 4])('has both, %i rows at a time', async (limit) => {
      await insertTogether(['a', 'b', 'c'].flatMap(twins));
      const notes = await walk(['1', FEED_START[1]], limit);
      expect(notes.toSorted()).toEqual(['a 0', 'a 1', 'b 0', 'b 1', 'c 0', 'c 1']);
      expect(await walkProject(PROJECTS[1], limit)).toEqual(['a 1', 'b 1', 'c 1']);
    });

    it.each([4, 5])('has both when there is no room for the one behind %i large rows', async (large) => {
      const before = Array.from({ length: large }, () => ({
        id: uuidv7(),
        project_id: PROJECTS[0],
        note: 'x'.repeat(1_000_000),
      }));
      await insertTogether([...before, ...twins('y'.repeat(1_000_000))]);
      const lengths = (await walk(['1', FEED_START[1]])).map(({ length }) => length);
      expect(lengths).toHaveLength(large + 2);
    });

    it('shows each its own at the end of how far it has looked', async () => {
      const others = Array.from({ length: 4_999 }, () => ({
        id: uuidv7(),
        project_id: PROJECTS[0],
        note: 'x',
      }));
      await insertTogether([...others, ...twins('twin')]);
      await insert('later', { project_id: PROJECTS[1] });
      const found: string[] = [];
      for (let after: FeedPosition = ['1', FEED_START[1]]; found.at(-1) !== 'later';) {
        const { rows, position } = await feed.ofProject(schema.database, PROJECTS[1], after, 100);
        found.push(...rows.map(({ note }) => note));
        after = position;
      }
      expect(found).toEqual(['twin 1', 'later']);
    });
  });

  it('shows nothing behind a transaction that is still open', async () => {
    const before = await feed.end(schema.database);
    const open = new Client({ connectionString: schema.admin_url });
    await open.connect();
    await open.query('BEGIN');
    await open.query(`INSERT INTO ${SCHEMA}.things VALUES ($1, $2, 'slow')`, [PROJECTS[0], uuidv7()]);
    await insert('quick');
    expect(await walk(before)).toEqual([]);
    const waiting = await feed.waitingSince(schema.database, before);
    expect(Date.now() - waiting!).toBeLessThan(10_000);
    await open.query('COMMIT');
    await open.end();
    expect(await walk(before)).toEqual(['slow', 'quick']);
    expect(await feed.waitingSince(schema.database, await feed.end(schema.database))).toBeUndefined();
  });

  it('ends before whatever is committed from now on', async () => {
    await insert('earlier');
    const end = await feed.end(schema.database);
    await insert('later');
    expect(await walk(end)).toEqual(['later']);
  });

  it('ends at what is committed: a number that nobody committed may come once more after a crash', async () => {
    await insert('committed');
    const end = await feed.end(schema.database);
    const other = new Client({ connectionString: schema.admin_url });
    await other.connect();
    for (let times = 0; times < 3; times += 1) {
      await other.query('BEGIN');
      await other.query(`INSERT INTO ${SCHEMA}.things VALUES ($1, $2, 'rolled back')`, [
        PROJECTS[0],
        uuidv7(),
      ]);
      await other.query('ROLLBACK');
    }
    await other.end();
    expect(await feed.end(schema.database)).toEqual(end);
    const { rows, position } = await feed.ofProject(schema.database, PROJECTS[0], FEED_START, 100);
    expect([rows.at(-1)!.transaction_id, position]).toEqual([end[0], end]);
  });

  it('of one project has what is its own', async () => {
    for (const [note, project_id] of [
      ['a', PROJECTS[0]],
      ['x', PROJECTS[1]],
      ['b', PROJECTS[0]],
      ['y', PROJECTS[1]],
    ] as const)
      await insert(note, { project_id });
    expect(await walkProject(PROJECTS[0], 1)).toEqual(['before there was a feed', 'a', 'b']);
    expect(await walkProject(PROJECTS[1], 100)).toEqual(['x', 'y']);
  });

  it('says how far it has looked when others have most of it', async () => {
    await schema.asService(
      `INSERT INTO ${SCHEMA}.things (project_id, id, note) SELECT $1, gen_random_uuid(), 'x' FROM generate_series(1, 6000)`,
      [PROJECTS[1]],
    );
    await insert('own');
    const first = await feed.ofProject(schema.database, PROJECTS[0], ['1', FEED_START[1]], 100);
    expect(first.rows).toEqual([]);
    const second = await feed.ofProject(schema.database, PROJECTS[0], first.position, 100);
    expect(second.rows.map(({ note }) => note)).toEqual(['own']);
    expect(await feed.ofProject(schema.database, PROJECTS[0], second.position, 100)).toMatchObject({
      rows: [],
    });
  });

  it('of one project is read in bounded steps behind the wall, too, whatever of it is the project’s', async () => {
    for (let times = 0; times < 4; times += 1) {
      await schema.asService(
        `INSERT INTO ${SCHEMA}.things (project_id, id, note) SELECT $1, gen_random_uuid(), 'x' FROM generate_series(1, 6000)`,
        [PROJECTS[1]],
      );
    }
    await insert('own');
    for (const statement of projectWall(SCHEMA, { things: 'SELECT, INSERT' }))
      await schema.asOwner(statement);
    await schema.asOwner(`ANALYZE ${SCHEMA}.things`);
    let after: FeedPosition = ['1', FEED_START[1]];
    const step = (): Promise<string[]> =>
      withinProjects(
        () => [PROJECTS[0]],
        async () => {
          const { rows, position } = await feed.ofProject(schema.database, PROJECTS[0], after, 100);
          expect(isBehind(position, after)).toBe(true);
          after = position;
          return rows.map(({ note }) => note);
        },
      );
    for (let steps = 0; steps < 4; steps += 1) {
      const read = await rowsRead(schema.service_url, `${SCHEMA}.things`, async () =>
        expect(await step()).toEqual([]),
      );
      expect(read).toBeLessThan(11_000);
    }
    expect(await step()).toEqual(['own']);
    const end = await withinProjects(
      () => [PROJECTS[0]],
      () => feed.end(schema.database),
    );
    expect(after).toEqual(end);
  });

  it('is found from a time on', async () => {
    const ago = (days: number): Date => new Date(Date.now() - days * 86_400_000);
    for (const days of [9, 8, 7, 6, 5, 4]) await insert(`${days}`, { recorded_at: ago(days) });
    const from = async (days: number): Promise<string[]> =>
      walk(await feed.since(schema.database, ago(days + 0.5)));
    expect(await from(6)).toEqual(['6', '5', '4']);
    expect(await from(9)).toEqual(['9', '8', '7', '6', '5', '4']);
    expect(await from(3)).toEqual([]);
  });

  it('knows a position of another history, whose numbers it has come past', async () => {
    const later = new Date(Date.now() + 3_600_000);
    await insert('read');
    const [read] = (await feed.next(schema.database, ['1', FEED_START[1]], 1)).rows;
    const isForeign = (id: string): Promise<boolean> =>
      feed.isForeign(schema.database, [read!.transaction_id, id], new Date());
    expect(await isForeign(read!.id)).toBe(false);
    expect(await isForeign(uuidv7())).toBe(false);
    await schema.asService(`UPDATE ${SCHEMA}.things SET recorded_at = $1`, [later]);
    expect(await isForeign(read!.id)).toBe(false);
    expect(await isForeign(uuidv7())).toBe(true);
  });

  it('knows a position that is of another database', async () => {
    await insert('a');
    const [row] = (await feed.next(schema.database, ['1', FEED_START[1]], 1)).rows;
    expect(await feed.isAhead(schema.database, [row!.transaction_id, row!.id])).toBe(false);
    expect(await feed.isAhead(schema.database, ['1000000000000', row!.id])).toBe(true);
  });
});
