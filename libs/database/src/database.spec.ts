import { inspect } from 'node:util';
import { Logger } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { eventually, queryDatabase } from '#testing';
import { dataSourceOptions } from './data-source.js';
import { Database } from './database.js';
import { testSchema, type TestSchema } from '../test/test-schema.js';

const SCHEMA = 'database_test';

describe('the database of a service', () => {
  let schema: TestSchema;

  beforeEach(async () => {
    schema = await testSchema(SCHEMA, `CREATE TABLE ${SCHEMA}.things (id int PRIMARY KEY)`);
  });
  afterEach(() => schema.close());

  const insert = `INSERT INTO ${SCHEMA}.things VALUES (1)`;
  const things = (): Promise<unknown[]> => schema.asService(`SELECT id FROM ${SCHEMA}.things`);
  /** From all its connections. */
  const cutOff = async (): Promise<void> => {
    const server = new URL(schema.admin_url);
    const name = server.pathname.slice(1);
    server.pathname = '/postgres';
    await queryDatabase(
      server.href,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      [name],
    );
    await eventually(() => schema.pool.totalCount === 0);
  };
  const unavailable = expect.objectContaining({ code: 'unavailable' }) as object;

  it('keeps all of a transaction', async () => {
    await schema.database.transaction((manager) => manager.query(insert));
    expect(await things()).toEqual([{ id: 1 }]);
  });

  it('keeps nothing of a transaction that throws', async () => {
    const failing = schema.database.transaction(async (manager) => {
      await manager.query(insert);
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await things()).toEqual([]);
  });

  it('is unavailable when it dies under a transaction, and there again afterwards', async () => {
    const killed = schema.database.transaction(async (manager) => {
      const [{ pid }] = await manager.query<[{ pid: number }]>('SELECT pg_backend_pid() AS pid');
      await queryDatabase(schema.admin_url, 'SELECT pg_terminate_backend($1)', [pid]);
      await manager.query(insert);
    });
    await expect(killed).rejects.toEqual(unavailable);
    await schema.database.ping();
    expect(await things()).toEqual([]);
  });

  it('is unavailable while all its connections are busy', async () => {
    const gate = Promise.withResolvers<void>();
    let started = 0;
    const { max } = dataSourceOptions({ schema: SCHEMA, url: '', entities: [] }).extra as { max: number };
    const busy = Array.from({ length: max }, () =>
      schema.database.transaction(async (manager) => {
        await manager.query('SELECT 1');
        started += 1;
        await gate.promise;
      }),
    );
    await eventually(() => started === max);
    await expect(schema.database.ping()).rejects.toEqual(unavailable);
    await expect(schema.database.transaction(async () => undefined)).rejects.toEqual(unavailable);
    gate.resolve();
    await Promise.all(busy);
    await schema.database.ping();
  });

  it('is unavailable while it refuses connections, whatever it gives as the reason', async () => {
    const server = new URL(schema.admin_url);
    const name = server.pathname.slice(1);
    server.pathname = '/postgres';
    const admit = (isAdmitted: boolean): Promise<unknown> =>
      queryDatabase(server.href, `ALTER DATABASE ${name} ALLOW_CONNECTIONS ${isAdmitted}`);
    await admit(false);
    await cutOff();
    await expect(schema.database.ping()).rejects.toEqual(unavailable);
    await expect(schema.database.transaction(async () => undefined)).rejects.toEqual(unavailable);
    await admit(true);
    await schema.database.ping();
  });

  it('is unavailable to a statement that takes too long, and says that less would do', async () => {
    const slow = schema.database.transaction(async (manager) => {
      await manager.query('SET LOCAL statement_timeout = 1');
      await manager.query('SELECT pg_sleep(10)');
    });
    await expect(slow).rejects.toEqual(unavailable);
    await expect(slow).rejects.toThrow('The database took too long: ask for less at once, or again');
  });

  it('is unavailable to a write while it only reads', async () => {
    const write = schema.database.transaction(async (manager) => {
      await manager.query('SET TRANSACTION READ ONLY');
      await manager.query(insert);
    });
    await expect(write).rejects.toEqual(unavailable);
  });

  it('hands on what is a fault of our own', async () => {
    await schema.database.rows(insert);
    await expect(schema.database.rows(insert)).rejects.toMatchObject({ code: '23505' });
    await expect(schema.database.rows('SELEC 1')).rejects.toMatchObject({ code: '42601' });
    await expect(schema.database.transaction((manager) => manager.query(insert))).rejects.toMatchObject({
      code: '23505',
    });
  });

  it('tells nobody which values a statement was given that failed', async () => {
    const value = 471147114;
    const add = `INSERT INTO ${SCHEMA}.things VALUES ($1)`;
    const transaction = (sql: string) =>
      schema.database.transaction(async (manager) => {
        await manager.query('SET LOCAL statement_timeout = 500');
        await manager.query(sql, [value]);
      });
    await transaction(add);
    for (const [failing, code] of [
      [transaction(add), '23505'],
      [schema.database.rows(add, [value]), '23505'],
      [transaction('SELECT pg_sleep(10), $1::int'), 'unavailable'],
    ] as const) {
      const error: unknown = await failing.catch((error: unknown) => error);
      expect(error).toMatchObject({ code });
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain(String(value));
    }
  });

  describe('for rows that may be large', () => {
    const MB = 1_000_000;
    /** Rows from 1 on, each of so many bytes. */
    const large = (count: number, bytes: number, name?: string) =>
      schema.database.firstRows<{ n: number; text: string }>(
        `SELECT n, repeat('x', $2) AS text FROM generate_series(1, $1::int) AS n`,
        [count, bytes],
        name,
      );
    const numbers = ({ rows }: { rows: { n: number }[] }): number[] => rows.map(({ n }) => n);

    it.each([undefined, 'large-rows'])(
      'keeps the first 4 MiB and says whether there was more (%s)',
      async (name) => {
        const cut = await large(20, MB, name);
        expect([numbers(cut), cut.isCut]).toEqual([[1, 2, 3, 4, 5], true]);
        expect(cut.rows.map(({ text }) => text.length)).toEqual(Array(5).fill(MB));
        const whole = await large(5, MB, name);
        expect([numbers(whole), whole.isCut]).toEqual([[1, 2, 3, 4, 5], false]);
        expect(await large(0, MB, name)).toEqual({ rows: [], isCut: false });
      },
    );

    it('keeps a row, however large it is', async () => {
      const cut = await large(2, 9 * MB);
      expect([numbers(cut), cut.isCut]).toEqual([[1], true]);
      const whole = await large(1, 9 * MB);
      expect([numbers(whole), whole.isCut]).toEqual([[1], false]);
    });

    it('leaves its connections good for the next statements', async () => {
      let removed = 0;
      schema.pool.on('remove', () => (removed += 1));
      const names = Array.from({ length: 4 }, (_, index) => (index % 2 ? 'large-rows' : undefined));
      const answers = names.map(async (name, index) => {
        expect(numbers(await large(8, MB, name))).toEqual([1, 2, 3, 4, 5]);
        const next = await schema.database.rows('SELECT $1::int AS index', [index]);
        expect(next).toEqual([{ index }]);
      });
      await Promise.all(answers);
      await schema.database.transaction((manager) => manager.query(insert));
      expect(await things()).toEqual([{ id: 1 }]);
      expect(removed).toBe(0);
    });

    it('fails as a whole, also when it fails behind what it keeps', async () => {
      const failing = schema.database.firstRows(
        `SELECT repeat('x', $1), 1 / (20 - n) FROM generate_series(1, 30) AS n`,
        [MB],
      );
      await expect(failing).rejects.toMatchObject({ code: '22012' });
      expect(numbers(await large(1, 1))).toEqual([1]);
    });

    it('keeps a result whole that is asked for as a whole', async () => {
      const text = `SELECT n, repeat('x', ${MB}) FROM generate_series(1, 20) AS n`;
      expect(await schema.database.rows(text)).toHaveLength(20);
      expect(await schema.database.prepared('whole', text, [])).toHaveLength(20);
    });
  });

  const commit = (setting: string): Promise<unknown> => {
    const name = new URL(schema.admin_url).pathname.slice(1);
    return queryDatabase(schema.admin_url, `ALTER DATABASE ${name} SET synchronous_commit = ${setting}`);
  };
  const connected = (): Promise<DataSource> =>
    new DataSource(dataSourceOptions({ schema: SCHEMA, url: schema.service_url, entities: [] })).initialize();

  it.each(['off', 'local', 'remote_write'])(
    'is refused while its synchronous_commit is %s',
    async (setting) => {
      await commit(setting);
      await expect(connected()).rejects.toThrow(`synchronous_commit is ${setting}`);
      await commit('remote_apply');
      await (await connected()).destroy();
    },
  );

  it('is unavailable while the server that took its place may lose what it acknowledged', async () => {
    await schema.database.ping();
    await commit('local');
    await cutOff();
    await expect(schema.database.ping()).rejects.toEqual(unavailable);
    await commit('on');
    await schema.database.ping();
  });

  it('is told of when it knows ASCII letters only, or the case of no others', async () => {
    const warned: unknown[] = [];
    const ignore = (): void => undefined;
    Logger.overrideLogger({ log: ignore, error: ignore, warn: (message: unknown) => warned.push(message) });
    await schema.database.onModuleInit();
    expect(warned).toEqual([]);
    for (const [locale, warning] of [
      ["BUILTIN_LOCALE 'C'", 'the case of ASCII letters only'],
      ["BUILTIN_LOCALE 'C.UTF-8' LC_CTYPE 'C'", 'LC_CTYPE of the database knows ASCII letters only'],
    ]) {
      const url = new URL(schema.admin_url);
      url.pathname += '_ascii';
      const name = url.pathname.slice(1);
      await queryDatabase(
        schema.admin_url,
        `CREATE DATABASE ${name} TEMPLATE template0 LOCALE_PROVIDER builtin ${locale}`,
      );
      await queryDatabase(url.href, 'CREATE EXTENSION pg_trgm');
      const source = await new DataSource(
        dataSourceOptions({ schema: SCHEMA, url: url.href, entities: [] }),
      ).initialize();
      await new Database(source).onModuleInit();
      expect(warned.splice(0)).toEqual([expect.stringContaining(warning!)]);
      await source.destroy();
      await queryDatabase(schema.admin_url, `DROP DATABASE ${name}`);
    }
    Logger.overrideLogger(false);
  });

  it('starts, too, where nobody may ask it for that', async () => {
    const change = (rights: string): Promise<unknown> => queryDatabase(schema.admin_url, rights);
    await change('REVOKE EXECUTE ON FUNCTION public.show_trgm FROM PUBLIC');
    await schema.database.onModuleInit();
    await change('GRANT EXECUTE ON FUNCTION public.show_trgm TO PUBLIC');
  });
});
