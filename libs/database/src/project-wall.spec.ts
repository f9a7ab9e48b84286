import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import { type EntityManager } from 'typeorm';
import { acrossProjects, withinProjects } from '#contracts';
import { eventually } from '#testing';
import { monthlyPartitions } from './monthly-partitions.js';
import { projectWall, searchableInScope, withoutProjectWall } from './project-wall.js';
import { testSchema, type TestSchema } from '../test/test-schema.js';

const SCHEMA = 'wall_test';
const NOTES = `${SCHEMA}.notes`;
const ALL = `SELECT text FROM ${NOTES} ORDER BY text`;
const INSERT = `INSERT INTO ${NOTES} (project_id, at, text) SELECT $1, now(), $2`;
const REFUSED = { code: '42501' };

const [ours, theirs] = [randomUUID(), randomUUID()];

interface Note {
  text: string;
}

describe('the wall around projects', () => {
  let schema: TestSchema;

  beforeEach(async () => {
    schema = await testSchema(
      SCHEMA,
      `CREATE TABLE ${NOTES} (project_id uuid, at timestamptz(3) NOT NULL, text text NOT NULL) PARTITION BY RANGE (at)`,
      ...monthlyPartitions({ schema: SCHEMA, table: 'notes', column: 'at' }),
      ...projectWall(SCHEMA, { notes: 'SELECT, INSERT, UPDATE' }),
      ...searchableInScope(SCHEMA, 'notes'),
    );
    for (const [project, text] of [
      [ours, 'ours'],
      [theirs, 'theirs'],
    ] as const) {
      await schema.asOwner(INSERT, [project, text]);
    }
  });
  afterEach(() => schema.close());

  const within = <T>(projects: string[], work: () => T): T => withinProjects(() => projects, work);
  const texts = async (sql = ALL, values: unknown[] = []): Promise<string[]> =>
    (await schema.database.rows<Note>(sql, values)).map(({ text }) => text);

  it('shows a statement that names no project the rows of those in scope', async () => {
    expect(await within([ours], texts)).toEqual(['ours']);
    expect(await within([theirs], texts)).toEqual(['theirs']);
    expect(await within([ours, theirs], texts)).toEqual(['ours', 'theirs']);
    expect(await within([randomUUID()], texts)).toEqual([]);
  });

  it('shows nothing to a statement that names another project', async () => {
    const asked = `SELECT text FROM ${NOTES} WHERE project_id = $1`;
    expect(await within([ours], () => texts(asked, [theirs]))).toEqual([]);
  });

  it('shows nothing where nothing is in scope', async () => {
    expect(await texts()).toEqual([]);
    expect(await within([], texts)).toEqual([]);
    expect(await schema.asService(ALL)).toEqual([]);
    await expect(schema.database.rows(INSERT, [ours, 'more'])).rejects.toMatchObject(REFUSED);
  });

  it('refuses a row for another project', async () => {
    await within([ours], async () => {
      await schema.database.rows(INSERT, [ours, 'more']);
      await expect(schema.database.rows(INSERT, [theirs, 'spy'])).rejects.toMatchObject(REFUSED);
      await expect(schema.database.rows(INSERT, [null, 'nobody’s'])).rejects.toMatchObject(REFUSED);
      const moved = schema.database.rows(`UPDATE ${NOTES} SET project_id = $1`, [theirs]);
      await expect(moved).rejects.toMatchObject(REFUSED);
      await schema.database.rows(`UPDATE ${NOTES} SET text = text || '!'`);
    });
    expect(await acrossProjects(texts)).toEqual(['more!', 'ours!', 'theirs']);
  });

  it('shows all to work that is for every project', async () => {
    expect(await acrossProjects(texts)).toEqual(['ours', 'theirs']);
    expect(await within([ours], () => acrossProjects(texts))).toEqual(['ours', 'theirs']);
    expect(await acrossProjects(() => within([ours], texts))).toEqual(['ours']);
  });

  it('takes ids of projects for ids, whatever they are', async () => {
    for (const id of ['every', `${ours},${theirs}`, `${ours}}', false) --`, '']) {
      await expect(within([id], texts).catch(() => [])).resolves.not.toContain('theirs');
    }
  });

  it('stands in a transaction, too, and in what TypeORM reads outside of one', async () => {
    const read = (manager: EntityManager): Promise<unknown> => manager.query(ALL);
    await within([ours], async () => {
      const twice = schema.database.transaction(async (manager) => [
        await read(manager),
        await read(manager),
      ]);
      expect(await twice).toEqual([[{ text: 'ours' }], [{ text: 'ours' }]]);
      const spying = schema.database.transaction((manager) => manager.query(INSERT, [theirs, 'spy']));
      await expect(spying).rejects.toMatchObject({ driverError: REFUSED });
      expect(await schema.database.read(read)).toEqual([{ text: 'ours' }]);
    });
    expect(await schema.database.transaction(read)).toEqual([]);
    expect(await schema.database.read(read)).toEqual([]);
  });

  it('is not gone around by a partition, by its view, or by the right to more', async () => {
    const partitions = await schema.asOwner<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = '${NOTES}'::regclass`,
    );
    expect(partitions.length).toBeGreaterThan(3);
    await acrossProjects(async () => {
      for (const { name } of partitions) {
        await expect(schema.database.rows(`SELECT FROM ${name}`)).rejects.toMatchObject(REFUSED);
        await expect(
          schema.database.rows(`INSERT INTO ${name} VALUES ($1, now(), '')`, [ours]),
        ).rejects.toMatchObject(REFUSED);
      }
      await expect(schema.database.rows(`DELETE FROM ${NOTES}`)).rejects.toMatchObject(REFUSED);
      const update = schema.database.rows(`UPDATE ${NOTES}_in_scope SET text = ''`);
      await expect(update).rejects.toMatchObject(REFUSED);
      await expect(
        schema.database.rows(`ALTER TABLE ${NOTES} DISABLE ROW LEVEL SECURITY`),
      ).rejects.toMatchObject(REFUSED);
    });
    const search = `SELECT text FROM ${NOTES}_in_scope WHERE text ILIKE '%R%'`;
    expect(await within([ours], () => texts(search))).toEqual(['ours']);
    expect(await texts(search)).toEqual([]);
  });

  it('lets the owner keep months: rows of every project move to their own', async () => {
    const month = new Date().toISOString().slice(0, 7);
    const partition = `${NOTES}_${month.replace('-', '_')}`;
    // As if nobody had maintained it for a month: this one is still the future.
    for (const statement of [
      `DO $$ DECLARE part text; BEGIN FOR part IN SELECT inhrelid::regclass FROM pg_inherits
         WHERE inhparent = '${NOTES}'::regclass LOOP EXECUTE 'DROP TABLE ' || part; END LOOP; END $$`,
      `CREATE TABLE ${NOTES}_future PARTITION OF ${NOTES} FOR VALUES FROM ('${month}-01T00:00:00Z') TO (MAXVALUE)`,
    ]) {
      await schema.asOwner(statement);
    }
    for (const project of [ours, theirs]) await schema.asOwner(INSERT, [project, 'kept']);
    await schema.database.rows(`SELECT ${SCHEMA}.maintain_notes(NULL)`);
    expect(await schema.asOwner(`SELECT FROM ${partition}`)).toHaveLength(2);
    await acrossProjects(async () => {
      expect(await texts()).toEqual(['kept', 'kept']);
      await expect(schema.database.rows(`SELECT FROM ${partition}`)).rejects.toMatchObject(REFUSED);
    });
  });

  it('can be taken down again', async () => {
    for (const statement of withoutProjectWall(SCHEMA, ['notes'])) await schema.asOwner(statement);
    expect(await texts()).toEqual(['ours', 'theirs']);
    await schema.database.rows(`DELETE FROM ${NOTES}`);
  });

  describe('over a pool of connections', () => {
    const pause = (): Promise<unknown> => schema.database.rows('SELECT pg_sleep(0.002)');

    it('leaves nothing of a scope on a connection', async () => {
      const standing = await Promise.all(Array.from({ length: 5 }, () => schema.pool.connect()));
      for (const client of standing) client.release();
      await Promise.all(Array.from({ length: 50 }, () => within([theirs], texts)));
      await Promise.all(Array.from({ length: 50 }, () => acrossProjects(texts)));
      const failing = within([theirs], () => schema.database.rows('SELECT 1 / 0'));
      await expect(failing).rejects.toMatchObject({ code: '22012' });
      const aborted = acrossProjects(() =>
        schema.database.transaction(async (manager) => {
          await manager.query(ALL);
          throw new Error('changed my mind');
        }),
      );
      await expect(aborted).rejects.toThrow('changed my mind');

      const clients = await Promise.all(
        Array.from({ length: schema.pool.idleCount }, () => schema.pool.connect()),
      );
      expect(clients.length).toBeGreaterThan(3);
      for (const client of clients) {
        // As a statement that brings nothing with it.
        const bare = Client.prototype.query.bind(client) as (sql: string) => Promise<{ rows: unknown[] }>;
        expect(
          (await bare(`SELECT coalesce(current_setting('flotilla.projects', true), '') AS left`)).rows,
        ).toEqual([{ left: '' }]);
        expect((await bare(ALL)).rows).toEqual([]);
        client.release();
      }
    });

    it('never shows one project to another, however they take turns', async () => {
      const act = fc.constantFrom('rows', 'transaction', 'read', 'nothing in scope', 'every project');
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.boolean(), act), { minLength: 20, maxLength: 60 }),
          async (acts) => {
            const seen = await Promise.all(
              acts.map(async ([isOurs, how]) => {
                const read = (manager: { query(sql: string): Promise<unknown> }): Promise<unknown> =>
                  manager.query(ALL);
                const ask = async (): Promise<unknown> => {
                  await pause();
                  if (how === 'transaction') return schema.database.transaction(read);
                  return how === 'read' ? schema.database.read(read) : schema.database.rows(ALL);
                };
                if (how === 'nothing in scope') return [await ask(), []];
                if (how === 'every project')
                  return [await acrossProjects(ask), [{ text: 'ours' }, { text: 'theirs' }]];
                return [await within([isOurs ? ours : theirs], ask), [{ text: isOurs ? 'ours' : 'theirs' }]];
              }),
            );
            for (const [rows, expected] of seen) expect(rows).toEqual(expected);
          },
        ),
        { numRuns: 15 },
      );
    });

    it('keeps to the scope of those who wait for a connection, not of those who give it back', async () => {
      const gate = Promise.withResolvers<void>();
      let held = 0;
      const holders = Array.from({ length: 8 }, () =>
        within([theirs], () =>
          schema.database.transaction(async (manager) => {
            await manager.query(ALL);
            held += 1;
            await gate.promise;
          }),
        ),
      );
      await eventually(() => held === 8);
      const waiting = Promise.all([
        within([ours], texts),
        texts(),
        within([ours], () => schema.database.read((manager) => manager.query(ALL))),
      ]);
      gate.resolve();
      expect(await waiting).toEqual([['ours'], [], [{ text: 'ours' }]]);
      await Promise.all(holders);
    });

    it('refuses a cursor outside of a transaction, where it would bring no projects', async () => {
      const cursor = { submit: (): void => undefined };
      const open = schema.database.read(async (manager) => manager.query(cursor as never));
      await expect(open).rejects.toThrow('in a transaction');
    });
  });
});
