import { randomUUID } from 'node:crypto';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EVERY_PROJECT, migrate, type SchemaOptions } from '#database';
import { prepareSchema, type SchemaUrls } from '#embedded';
import { queryDatabase, testDatabase } from '#testing';

const ROOT = join(import.meta.dirname, '..');

/** Searched by what Postgres does not hold to be leakproof, through a view of the owner's: decision 60. */
const SEARCHED = ['activity_events.events', 'auth.devices'];

interface Table {
  name: string;
  kind: string;
  is_partition: boolean;
  is_of_projects: boolean;
  enabled: boolean;
  forced: boolean;
}

/** But for names that are only handed on. */
const USES_OF_ALL_PROJECTS = /\bacrossProjects\(|'every'|^(?!import|export \{).*\bEVERY_PROJECT\b/m;

describe('in the database', () => {
  let admin_url: string;
  const urls: Record<string, SchemaUrls> = {};

  beforeAll(async () => {
    admin_url = await testDatabase();
    for (const path of globSync('apps/*/src/**/*.entity.ts', { cwd: ROOT })) {
      const { SCHEMA, ENTITIES } = (await import(join(ROOT, path))) as {
        SCHEMA: string;
        ENTITIES: SchemaOptions['entities'];
      };
      const { MIGRATIONS } = (await import(join(ROOT, path, '../migrations/index.ts'))) as {
        MIGRATIONS: Parameters<typeof migrate>[1];
      };
      urls[SCHEMA] = await prepareSchema(admin_url, SCHEMA);
      await migrate({ schema: SCHEMA, url: urls[SCHEMA].owner, entities: ENTITIES }, MIGRATIONS);
    }
  });

  /** Every table and view of every schema of ours. */
  const tables = (): Promise<Table[]> =>
    queryDatabase<Table>(
      admin_url,
      `SELECT oid::regclass::text AS name, relkind::text AS kind, relispartition AS is_partition,
         relrowsecurity AS enabled, relforcerowsecurity AS forced, EXISTS (
           SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'project_id' AND attnum > 0
         ) AS is_of_projects
       FROM pg_class WHERE relnamespace::regnamespace::text = ANY($1) AND relkind IN ('r', 'p', 'v') ORDER BY 1`,
      [Object.keys(urls)],
    );

  it('every table with rows of projects is behind the wall', async () => {
    const all = (await tables()).filter(({ kind, is_partition }) => kind !== 'v' && !is_partition);
    const walled = all.filter(({ is_of_projects, name }) => is_of_projects || name === 'auth.projects');
    expect(walled.length).toBeGreaterThan(15);
    expect(walled.filter(({ enabled }) => !enabled)).toEqual([]);
    expect(walled.filter(({ forced }) => !forced).map(({ name }) => name)).toEqual(SEARCHED);
  });

  it('no partition can be reached but through its table, and no list of migrations at all', async () => {
    const hidden = (await tables()).filter(
      ({ name, is_partition }) => is_partition || name.endsWith('.migrations'),
    );
    expect(hidden.length).toBeGreaterThan(20);
    const open = await queryDatabase<{ name: string }>(
      admin_url,
      `SELECT name, role FROM unnest($1::text[]) AS name, unnest($2::text[]) AS role,
         unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) AS may
       WHERE has_table_privilege(role, name, may)`,
      [hidden.map(({ name }) => name), Object.keys(urls)],
    );
    expect(open).toEqual([]);
  });

  it('each role is refused in every schema but its own', async () => {
    for (const { name } of await tables()) {
      const schema = name.split('.')[0]!;
      for (const [other, { owner, service }] of Object.entries(urls)) {
        if (other === schema) continue;
        for (const url of [owner, service]) {
          await expect(queryDatabase(url, `SELECT FROM ${name}`)).rejects.toMatchObject({ code: '42501' });
        }
      }
    }
  });

  it('no service can change what it is given, become another, or see through the wall', async () => {
    for (const [schema, { service }] of Object.entries(urls)) {
      const others = Object.keys(urls).filter((other) => other !== schema);
      for (const statement of [
        `CREATE TABLE ${schema}.more ()`,
        'CREATE TABLE public.more ()',
        'CREATE SCHEMA more',
        'CREATE ROLE more',
        `SET ROLE ${schema}_owner`,
        `SET ROLE ${others[0]!}`,
        'SET ROLE postgres',
        `ALTER TABLE ${schema}.idempotency_keys DISABLE ROW LEVEL SECURITY`,
        `DROP POLICY in_scope ON ${schema}.idempotency_keys`,
        `CREATE POLICY all_of_it ON ${schema}.idempotency_keys USING (true)`,
        `TRUNCATE ${schema}.idempotency_keys`,
        `ALTER ROLE ${schema} BYPASSRLS`,
      ]) {
        await expect(queryDatabase(service, statement)).rejects.toMatchObject({ code: '42501' });
      }
    }
    const powers = await queryDatabase(
      admin_url,
      `SELECT rolname FROM pg_roles WHERE rolname = ANY($1)
       AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)`,
      [Object.keys(urls).flatMap((schema) => [schema, `${schema}_owner`])],
    );
    expect(powers).toEqual([]);
  });

  it('what is appended to stays as it was written', async () => {
    for (const table of [
      'activity_events.events',
      'device_state.history',
      'firmware.firmware_events',
      'pricing.changes',
    ]) {
      const { service } = urls[table.split('.')[0]!]!;
      await expect(queryDatabase(service, `DELETE FROM ${table}`)).rejects.toMatchObject({ code: '42501' });
      const update = queryDatabase(service, `UPDATE ${table} SET project_id = project_id`);
      await expect(update).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('a gateway that follows keys alone gets a lease until a project is deleted, and none after that', async () => {
    const gateway = new URL(urls.auth!.service);
    gateway.searchParams.set('options', EVERY_PROJECT);
    const id = randomUUID();
    const renew = (): Promise<unknown[]> =>
      queryDatabase(
        gateway.href,
        `INSERT INTO auth.gateways (id, seen, lease_until) VALUES ($1, 0, now())
         ON CONFLICT (id) DO UPDATE SET lease_until = EXCLUDED.lease_until`,
        [id],
      );
    const add = (revision: number): Promise<unknown[]> =>
      queryDatabase(
        admin_url,
        `INSERT INTO auth.projects (id, name, created_at, version, revision)
         VALUES (gen_random_uuid(), 'north', now(), 1, $1)`,
        [revision],
      );
    await add(0);
    await renew();
    await renew();
    await add(1);
    await expect(renew()).rejects.toMatchObject({ code: '42501' });
  });

  it('the wall leaves searches their indexes and their statistics', async () => {
    const project_id = randomUUID();
    await queryDatabase(
      admin_url,
      // Of one month: in the first hours of another, past rows would be spread over two partitions, one of them too small for an index.
      `INSERT INTO activity_events.events
       SELECT $1, gen_random_uuid(), date_trunc('month', now(), 'UTC') + n * interval '1 s', 'c', 'e', 'a@b.co',
         CASE WHEN n % 2 = 0 THEN 'often' ELSE 'seldom ' || md5(n::text) END, '{}', NULL, now()
       FROM generate_series(1, 20000) AS n`,
      [project_id],
    );
    await queryDatabase(
      admin_url,
      `INSERT INTO auth.devices SELECT $1, 'd' || n, NULL, jsonb_build_object('site', 's' || n), now(), 1
       FROM generate_series(1, 20000) AS n`,
      [project_id],
    );
    for (const table of SEARCHED) await queryDatabase(admin_url, `VACUUM ANALYZE ${table}`);
    const planOf = async (table: string, where: string, order: string): Promise<string> => {
      const rows = await queryDatabase<{ 'QUERY PLAN': string }>(
        urls[table.split('.')[0]!]!.service,
        `EXPLAIN SELECT * FROM ${table}_in_scope WHERE project_id = '${project_id}' AND ${where}
         ORDER BY ${order} DESC, id DESC LIMIT 101`,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const rare = await planOf('activity_events.events', `message ILIKE '%0123%'`, 'occurred_at');
    expect(rare).toMatch(/Bitmap Index Scan on events_\d{4}_\d\d_project_id_message_idx/);
    const frequent = await planOf('activity_events.events', `message ILIKE '%often%'`, 'occurred_at');
    expect(frequent).toMatch(/Index Scan Backward using events_\d{4}_\d\d_project_id_occurred_at_id_idx/);
    expect(frequent).not.toMatch(/Sort/);
    const labelled = await planOf(
      'auth.devices',
      `labels @> ANY('{"{\\"site\\": \\"s7\\"}"}')`,
      'created_at',
    );
    expect(labelled).toContain('Bitmap Index Scan on devices_by_label');
  });

  it('work for every project is what is listed here, and no more', async () => {
    const uses: string[] = [];
    for (const path of globSync('{apps,libs}/*/src/**/*.ts', { cwd: ROOT })) {
      const text = await readFile(join(ROOT, path), 'utf8');
      if (!path.endsWith('.spec.ts') && USES_OF_ALL_PROJECTS.test(text)) uses.push(path);
    }
    expect(uses.sort()).toEqual([
      // Whose key this is must be known before any project is.
      'apps/gateway/src/auth/first-start.ts',
      'apps/gateway/src/auth/keys.repository.ts',
      'apps/gateway/src/auth/revisions.ts',
      // The operator.
      'apps/gateway/src/http/http-server.ts',
      // What it is made of.
      'libs/contracts/src/project-scope.ts',
      // Where a feed ends, and how far a question of one project looks: positions, which no caller is told.
      'libs/database/src/feed.ts',
      // Feeds of all projects, each on a connection of its own.
      'libs/database/src/lead.ts',
      'libs/database/src/project-client.ts',
      'libs/database/src/project-wall.ts',
    ]);
  });
});
