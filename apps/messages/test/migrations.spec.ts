import { DataSource } from 'typeorm';
import { migrate } from '#database';
import { prepareSchema } from '#embedded';
import { queryDatabase, testDatabase } from '#testing';
import { ENTITIES, SCHEMA } from '../src/messages.entity.js';
import { MIGRATIONS } from '../src/migrations/index.js';

describe('the migrations of messages', () => {
  let url: string;
  let source: DataSource;

  beforeEach(async () => {
    url = (await prepareSchema(await testDatabase(), SCHEMA)).owner;
    source = await new DataSource({
      type: 'postgres',
      url,
      schema: SCHEMA,
      entities: ENTITIES,
      migrations: MIGRATIONS,
      migrationsTableName: 'migrations',
      migrationsTransactionMode: 'each',
    }).initialize();
  });
  afterEach(() => source.destroy());

  /** Everything that a schema can hold. */
  const contents = (): Promise<{ kind: string; name: string }[]> =>
    queryDatabase(
      url,
      `SELECT relkind::text AS kind, relname AS name FROM pg_class WHERE relnamespace = $1::regnamespace
       UNION ALL SELECT 'function', proname FROM pg_proc WHERE pronamespace = $1::regnamespace
       UNION ALL SELECT 'type', typname FROM pg_type WHERE typnamespace = $1::regnamespace
       ORDER BY 1, 2`,
      [SCHEMA],
    );

  it('leave nothing to generate', async () => {
    await source.runMigrations();
    const { upQueries } = await source.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('undo what they did', async () => {
    await source.runMigrations();
    const after = await contents();
    for (const _ of MIGRATIONS) await source.undoLastMigration();
    await source.query(`DROP TABLE "${SCHEMA}"."migrations"`);
    expect(await contents()).toEqual([]);
    await source.runMigrations();
    expect(await contents()).toEqual(after);
  });

  it('run once, however many migrators start together', async () => {
    const schema = { schema: SCHEMA, url, entities: ENTITIES };
    await Promise.all(Array.from({ length: 4 }, () => migrate(schema, MIGRATIONS)));
    const done = await queryDatabase(url, `SELECT name FROM "${SCHEMA}"."migrations"`);
    expect(done).toHaveLength(MIGRATIONS.length);
  });
});
