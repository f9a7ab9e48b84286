import { globSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { migrate, type SchemaOptions } from '#database';
import { prepareSchema } from '#embedded';
import { eventually, queryDatabase, testDatabase } from '#testing';

const ROOT = join(import.meta.dirname, '..');

/** Found, not listed: the schema of a new app is covered by itself. */
const TABLES = globSync('apps/*/src/**/*.entity.ts', { cwd: ROOT }).sort();

it('finds the tables of each app', () => {
  const apps = globSync('apps/*/src/main.ts', { cwd: ROOT });
  expect(TABLES).toHaveLength(apps.length);
});

describe.each(TABLES)('the migrations to the tables of %s', (path) => {
  let schema: SchemaOptions;
  let migrations: Parameters<typeof migrate>[1];
  let source: DataSource;

  beforeEach(async () => {
    const { SCHEMA, ENTITIES } = (await import(join(ROOT, path))) as {
      SCHEMA: string;
      ENTITIES: SchemaOptions['entities'];
    };
    const list = (await import(join(ROOT, dirname(path), 'migrations/index.ts'))) as {
      MIGRATIONS: typeof migrations;
    };
    migrations = list.MIGRATIONS;
    const { owner } = await prepareSchema(await testDatabase(), SCHEMA);
    schema = { schema: SCHEMA, url: owner, entities: ENTITIES };
    source = await new DataSource({
      ...schema,
      type: 'postgres',
      migrations,
      migrationsTableName: 'migrations',
      migrationsTransactionMode: 'each',
    }).initialize();
  });
  afterEach(() => source.destroy());

  /** Everything that a schema can hold. */
  const contents = (): Promise<{ kind: string; name: string }[]> =>
    queryDatabase(
      schema.url,
      `SELECT relkind::text AS kind, relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace
       UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = $1::regnamespace
       UNION ALL SELECT 'type', typname FROM pg_type WHERE typnamespace = $1::regnamespace
       ORDER BY 1, 2`,
      [schema.schema],
    );

  it('leave nothing to generate', async () => {
    await source.runMigrations();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('undo what they did', async () => {
    const done = await source.runMigrations();
    expect(done.length).toBeGreaterThan(0);
    const after = await contents();
    for (let left = done.length; left > 0; left -= 1) await source.undoLastMigration();
    await source.query(`DROP TABLE "${schema.schema}"."migrations"`);
    expect(await contents()).toEqual([]);
    await source.runMigrations();
    expect(await contents()).toEqual(after);
  });

  it('run once, however many migrators start together', async () => {
    await Promise.all(Array.from({ length: 4 }, () => migrate(schema, migrations)));
    const done = await queryDatabase<{ name: string }>(
      schema.url,
      `SELECT name FROM "${schema.schema}"."migrations"`,
    );
    expect(done.length).toBeGreaterThan(0);
    expect(new Set(done.map(({ name }) => name)).size).toBe(done.length);
  });
});

it('a migration of a table that is read for long holds nobody up, and is done after it', async () => {
  class MakeThings1700000000000 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('CREATE TABLE "things"."things" ("id" integer)');
    }
    async down(): Promise<void> {}
  }
  class NameThings1700000000001 implements MigrationInterface {
    async up(runner: QueryRunner): Promise<void> {
      await runner.query('ALTER TABLE "things"."things" ADD COLUMN "name" text');
    }
    async down(): Promise<void> {}
  }
  const { owner } = await prepareSchema(await testDatabase(), 'things');
  const schema: SchemaOptions = { schema: 'things', url: owner, entities: [] };
  await migrate(schema, [MakeThings1700000000000]);

  const reader = new Client({ connectionString: owner });
  await reader.connect();
  await reader.query('BEGIN; SELECT FROM "things"."things"');
  const migrated = migrate(schema, [MakeThings1700000000000, NameThings1700000000001]);
  await eventually(async () =>
    expect(await queryDatabase(owner, 'SELECT FROM pg_locks WHERE NOT granted')).toHaveLength(1),
  );
  await queryDatabase(owner, 'SELECT "id" FROM "things"."things"');
  await reader.query('COMMIT');
  await reader.end();
  await migrated;
  await queryDatabase(owner, 'SELECT "name" FROM "things"."things"');
});
