import fc from 'fast-check';
import { prepareSchema } from '#embedded';
import { Logger } from '@nestjs/common';
import { eventually, queryDatabase } from '#testing';
import { monthlyPartitions } from './monthly-partitions.js';
import { PartitionKeeper } from './partition-keeper.js';
import { testSchema, type TestSchema } from '../test/test-schema.js';

const SCHEMA = 'logs_test';

/** Months from the current one, as the database counts them. */
function month(offset: number): string {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + offset)).toISOString();
}

function partition(offset: number): string {
  return `entries_${month(offset).slice(0, 7).replace('-', '_')}`;
}

describe('a table in monthly partitions', () => {
  let schema: TestSchema;

  beforeEach(async () => {
    schema = await testSchema(
      SCHEMA,
      `CREATE TABLE ${SCHEMA}.entries (id int NOT NULL, at timestamptz(3) NOT NULL) PARTITION BY RANGE (at)`,
      ...monthlyPartitions({ schema: SCHEMA, table: 'entries', column: 'at' }),
    );
  });
  afterEach(() => schema.close());

  const insert = (...entries: [id: number, at: string][]): Promise<unknown> =>
    schema.asService(`INSERT INTO ${SCHEMA}.entries SELECT * FROM unnest($1::int[], $2::timestamptz[])`, [
      entries.map(([id]) => id),
      entries.map(([, at]) => at),
    ]);
  const placeOf = async (id: number): Promise<string | undefined> => {
    const sql = `SELECT tableoid::regclass::text AS place FROM ${SCHEMA}.entries WHERE id = $1`;
    const [row] = await schema.asService<{ place: string }>(sql, [id]);
    return row?.place.replace(`${SCHEMA}.`, '');
  };
  const ids = async (): Promise<number[]> => {
    const rows = await schema.asService<{ id: number }>(`SELECT id FROM ${SCHEMA}.entries ORDER BY id`);
    return rows.map(({ id }) => id);
  };
  const partitions = async (): Promise<string[]> => {
    const rows = await schema.asOwner<{ name: string }>(
      `SELECT inhrelid::regclass::text AS name FROM pg_inherits
       WHERE inhparent = '${SCHEMA}.entries'::regclass ORDER BY 1`,
    );
    return rows.map(({ name }) => name.replace(`${SCHEMA}.`, ''));
  };
  const maintain = (keep: string | null = null): Promise<unknown> =>
    schema.asService(`SELECT ${SCHEMA}.maintain_entries($1::interval)`, [keep]);

  /** As if nobody had maintained it since `months` ago: no month stands, all is past or future. */
  const neglect = async (months: number): Promise<void> => {
    const statements = [
      `DROP TABLE ${SCHEMA}.entries_future`,
      `DROP TABLE ${SCHEMA}.entries_past`,
      ...[0, 1].map((offset) => `DROP TABLE ${SCHEMA}.${partition(offset)}`),
      `CREATE TABLE ${SCHEMA}.entries_past PARTITION OF ${SCHEMA}.entries
       FOR VALUES FROM (MINVALUE) TO ('${month(-months)}')`,
      `CREATE TABLE ${SCHEMA}.${partition(-months)} PARTITION OF ${SCHEMA}.entries
       FOR VALUES FROM ('${month(-months)}') TO ('${month(1 - months)}')`,
      `CREATE TABLE ${SCHEMA}.entries_future PARTITION OF ${SCHEMA}.entries
       FOR VALUES FROM ('${month(1 - months)}') TO (MAXVALUE)`,
    ];
    for (const statement of statements) await schema.asOwner(statement);
  };

  /** As if nobody had maintained it for a month: of what moves to the month that is missing, each entry does `step`. */
  const neglectNextMonth = async (step: string): Promise<void> => {
    for (const statement of [
      `ALTER TABLE ${SCHEMA}.entries DETACH PARTITION ${SCHEMA}.entries_future`,
      `DROP TABLE ${SCHEMA}.${partition(1)}`,
      `ALTER TABLE ${SCHEMA}.entries ATTACH PARTITION ${SCHEMA}.entries_future
       FOR VALUES FROM ('${month(1)}') TO (MAXVALUE)`,
      `CREATE FUNCTION ${SCHEMA}.step() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN ${step}; RETURN OLD; END $$`,
      `CREATE TRIGGER step BEFORE DELETE ON ${SCHEMA}.entries_future FOR EACH ROW EXECUTE FUNCTION ${SCHEMA}.step()`,
    ]) {
      await schema.asOwner(statement);
    }
  };

  it('has a place for an entry of any year', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.date({
            min: new Date('0001-01-01T00:00:00Z'),
            max: new Date('9999-12-31T23:59:59Z'),
            noInvalidDate: true,
          }),
          { maxLength: 50 },
        ),
        async (instants) => {
          const before = (await ids()).length;
          await insert(...instants.map((at, id): [number, string] => [id, at.toISOString()]));
          expect((await ids()).length).toBe(before + instants.length);
        },
      ),
      { numRuns: 20 },
    );
  });

  it('stands two months ahead from the start', async () => {
    expect(await partitions()).toEqual(['entries_future', 'entries_past', partition(0), partition(1)].sort());
  });

  it('keeps an entry in the month in which it was, in UTC', async () => {
    await insert(
      [1, month(0)],
      [2, new Date(Date.parse(month(0)) - 1).toISOString()],
      [3, new Date(Date.parse(month(1)) - 1).toISOString()],
      [4, month(1)],
      [5, month(2)],
    );
    const places = await Promise.all([1, 2, 3, 4, 5].map(placeOf));
    expect(places).toEqual([partition(0), 'entries_past', partition(0), partition(1), 'entries_future']);
  });

  it('catches up after a long neglect, and moves entries out of the future', async () => {
    await neglect(3);
    await insert([1, month(-3)], [2, month(-2)], [3, month(0)], [4, month(1)], [5, month(2)]);
    expect(await placeOf(3)).toBe('entries_future');
    await maintain();
    expect(await Promise.all([1, 2, 3, 4, 5].map(placeOf))).toEqual([
      partition(-3),
      partition(-2),
      partition(0),
      partition(1),
      'entries_future',
    ]);
  });

  it('changes nothing when there is nothing to do', async () => {
    await insert([1, month(-20)], [2, month(0)], [3, month(20)]);
    const before = await partitions();
    await maintain();
    await maintain('100000 days');
    expect(await partitions()).toEqual(before);
    expect(await ids()).toEqual([1, 2, 3]);
  });

  it('changes nothing either when what is over was dropped before', async () => {
    await neglect(4);
    await maintain('40 days');
    const oids = `SELECT inhrelid FROM pg_inherits WHERE inhparent = '${SCHEMA}.entries'::regclass ORDER BY 1`;
    const before = await schema.asOwner(oids);
    await maintain('40 days');
    expect(await schema.asOwner(oids)).toEqual(before);
  });

  it('may be maintained by many at once', async () => {
    await neglect(4);
    await insert([1, month(0)]);
    await Promise.all(Array.from({ length: 6 }, () => maintain('40 days')));
    expect(await placeOf(1)).toBe(partition(0));
  });

  it('drops a month when all of it is over, and nothing that is not', async () => {
    await neglect(5);
    await maintain();
    await insert(
      ...[-9, -5, -4, -3, -2, -1, 0, 1].map((offset): [number, string] => [offset, month(offset)]),
    );
    const age_of_the_end_of_month_3 = Date.now() - Date.parse(month(-2));
    await maintain(`${age_of_the_end_of_month_3 + 3_600_000} milliseconds`);
    expect(await ids()).toEqual([-3, -2, -1, 0, 1]);
    await maintain(`${age_of_the_end_of_month_3 - 3_600_000} milliseconds`);
    expect(await ids()).toEqual([-2, -1, 0, 1]);
  });

  it('still has a place for what is older than it keeps', async () => {
    await neglect(4);
    await maintain('1 day');
    await insert([1, month(-4)], [2, month(-40)], [3, month(0)]);
    expect(await Promise.all([1, 2, 3].map(placeOf))).toEqual(['entries_past', 'entries_past', partition(0)]);
    await maintain('1 day');
    expect(await ids()).toEqual([3]);
  });

  it('locks nobody out while entries move, and moves what comes meanwhile', async () => {
    await neglectNextMonth('PERFORM pg_advisory_xact_lock_shared(1)');
    await insert([1, month(1)]);
    let moving: Promise<unknown>;
    await schema.transaction(async (manager) => {
      await manager.query('SELECT pg_advisory_xact_lock(1)');
      moving = maintain();
      await eventually(async () => {
        const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`;
        expect(await schema.asOwner(waiting)).toHaveLength(1);
      });
      await schema.database.rows(`INSERT INTO ${SCHEMA}.entries VALUES (2, $1)`, [month(1)]);
      expect(await schema.database.rows(`SELECT FROM ${SCHEMA}.entries`)).toHaveLength(2);
    });
    await moving!;
    expect(await Promise.all([1, 2].map(placeOf))).toEqual([partition(1), partition(1)]);
  });

  it('keeps the newest month, however old, until there is a newer one: each instant has its place', async () => {
    await neglect(4);
    await insert([1, month(-5)], [2, month(-4)]);
    await schema.asService(`SELECT ${SCHEMA}.drop_past_entries('1 day')`);
    await insert([3, month(-5)], [4, month(-4)], [5, month(-3)], [6, month(0)]);
    expect(await ids()).toEqual([2, 3, 4, 5, 6]);
    await maintain('1 day');
    expect(await ids()).toEqual([6]);
  });

  describe('kept by a process', () => {
    let keeper: PartitionKeeper;

    beforeEach(() => {
      Logger.overrideLogger(false);
      keeper = new PartitionKeeper(schema.service_url, SCHEMA, { table: 'entries', keep_days: 40 });
    });
    afterEach(() => keeper.onModuleDestroy());

    it('drops what is over, also where a month cannot be added', async () => {
      await neglect(3);
      await maintain();
      await neglectNextMonth(`RAISE EXCEPTION 'no room'`);
      await insert([1, month(-3)], [2, month(0)], [3, month(1)]);
      keeper.onApplicationBootstrap();
      await eventually(async () => expect(await ids()).toEqual([2, 3]));
      expect(await placeOf(3)).toBe('entries_future');
    });

    it('adds a month to which entries move for longer than a call may take, and then drops what is over', async () => {
      await neglect(3);
      await maintain();
      await neglectNextMonth('PERFORM pg_sleep(7)');
      await insert([1, month(-3)], [2, month(1)]);
      keeper.onApplicationBootstrap();
      await eventually(async () => expect(await ids()).toEqual([2]));
      expect(await placeOf(2)).toBe(partition(1));
    });
  });

  it.each([
    ['make tables', `CREATE TABLE ${SCHEMA}.mine (id int)`],
    ['drop the table', `DROP TABLE ${SCHEMA}.entries`],
    ['drop a partition', `DROP TABLE ${SCHEMA}.entries_past`],
    ['change the table', `ALTER TABLE ${SCHEMA}.entries ADD COLUMN more int`],
    ['empty the table', `TRUNCATE ${SCHEMA}.entries`],
    ['make schemas', 'CREATE SCHEMA mine'],
    ['make tables in public', 'CREATE TABLE public.mine (id int)'],
    ['become the owner', `SET ROLE ${SCHEMA}_owner`],
  ])('does not let the service %s', async (_, statement) => {
    await expect(schema.asService(statement)).rejects.toMatchObject({ code: '42501' });
  });

  it('is not there for the service of another schema', async () => {
    const neighbour = await prepareSchema(schema.admin_url, 'neighbour_test');
    for (const url of [neighbour.service, neighbour.owner]) {
      for (const statement of [
        `SELECT * FROM ${SCHEMA}.entries`,
        `SELECT * FROM ${SCHEMA}.entries_past`,
        `SELECT ${SCHEMA}.maintain_entries(NULL)`,
        `SELECT ${SCHEMA}.drop_past_entries(NULL)`,
      ]) {
        await expect(queryDatabase(url, statement)).rejects.toMatchObject({ code: '42501' });
      }
    }
  });
});
