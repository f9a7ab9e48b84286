import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { DataSource } from 'typeorm';
import { Database, dataSourceOptions, migrate, type FirstRows } from '#database';
import { EmbeddedPostgres, prepareSchema, type SchemaUrls } from '#embedded';
import { parseMoment, withinProjects, type EventFilter } from '#contracts';
import { ENTITIES, SCHEMA } from '../apps/activity-events/src/activity-events.entity.js';
import { ActivityEventsRepository } from '../apps/activity-events/src/activity-events.repository.js';
import { MIGRATIONS } from '../apps/activity-events/src/migrations/index.js';
import { createDatabase, withClient } from './bench.js';
import { dayOfEvents } from './event-generator.js';
import { eventQuestions } from './events/event-queries.js';
import { loadEvents, today } from './events/event-rows.js';
import { wholeNumber } from './options.js';

const PROJECT = '01900000-0000-7000-8000-000000000001';
const OTHER_PROJECT = '01900000-0000-7000-8000-000000000002';
const PAGE = 101;

/** Takes the place of the database behind the repository: each statement is explained instead of answered. */
class ExplainingDatabase extends Database {
  plan = '';

  override async rows<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    await this.explain(sql, values, 'force_custom_plan');
    return [];
  }

  /** The plan for all values alike, which a connection that lives long may settle on. */
  override async prepared<Row>(_: string, sql: string, values: unknown[]): Promise<Row[]> {
    await this.explain(sql, values, 'force_generic_plan');
    return [];
  }

  override async firstRows<Row>(sql: string, values: unknown[], name?: string): Promise<FirstRows<Row>> {
    const rows = name === undefined ? this.rows<Row>(sql, values) : this.prepared<Row>(name, sql, values);
    return { rows: await rows, isCut: false };
  }

  private async explain(sql: string, values: unknown[], plans: string): Promise<void> {
    const literals = values.map((value) => (value instanceof Date ? value.toISOString() : String(value)));
    const quoted = literals.map((text) => `'${text.replaceAll("'", "''")}'`).join(', ');
    this.plan = await this.transaction(async (manager) => {
      await manager.query(`SET LOCAL plan_cache_mode = ${plans}`);
      await manager.query(`PREPARE explained AS ${sql}`);
      // Twice, so that the buffers are those of a server that is at work.
      await manager.query(`EXPLAIN (ANALYZE, BUFFERS) EXECUTE explained(${quoted})`);
      const lines = await manager.query<{ 'QUERY PLAN': string }[]>(
        `EXPLAIN (ANALYZE, BUFFERS) EXECUTE explained(${quoted})`,
      );
      await manager.query('DEALLOCATE explained');
      return lines.map((line) => line['QUERY PLAN']).join('\n');
    });
  }
}

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    out: { type: 'string', default: join('docs', 'explain-events.md') },
  },
});
const rows = wholeNumber('rows', values.rows);
const directory = await mkdtemp(join(tmpdir(), 'flotilla-explain-'));
const postgres = await EmbeddedPostgres.start({ directory });
try {
  const admin_url = await createDatabase(postgres.url, 'explain');
  const urls = await prepareSchema(admin_url, SCHEMA);
  await migrate({ schema: SCHEMA, url: urls.owner, entities: ENTITIES }, MIGRATIONS);
  const day = { seed: 3, day: today() };
  await loadEvents(admin_url, PROJECT, { ...day, count: rows });
  await loadEvents(admin_url, OTHER_PROJECT, { ...day, count: Math.ceil(rows / 10) });
  await writeFile(values.out, await explained(urls, day, rows));
  console.log(`Written to ${values.out}`);
} finally {
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}

async function explained(
  { service, owner }: SchemaUrls,
  day: { seed: number; day: string },
  rows: number,
): Promise<string> {
  const source = await new DataSource(
    dataSourceOptions({ schema: SCHEMA, url: service, entities: ENTITIES, searches: true }),
  ).initialize();
  const database = new ExplainingDatabase(source);
  const repository = new ActivityEventsRepository(database);
  const sections: string[] = [];
  for (const { name, query, second_page } of eventQuestions(day.day, [
    ...dayOfEvents({ ...day, count: 10_000 }),
  ])) {
    const { from_date, to_date, ...equal } = query as EventFilter;
    const conditions = {
      project_id: PROJECT,
      ...equal,
      from: parseMoment(from_date),
      to: parseMoment(to_date),
    };
    const [after] = second_page ? await lastOfFirstPage(owner) : [];
    await withinProjects(
      () => [PROJECT],
      () => repository.walk(conditions, 'desc', PAGE, after).next(),
    );
    sections.push(
      `## ${name[0]!.toUpperCase()}${name.slice(1)}\n\n\`${JSON.stringify(query)}\`\n\n\`\`\`\n${trimmed(database.plan)}\n\`\`\``,
    );
  }
  await source.destroy();
  return `# How Postgres answers \`GET /v1/events\`

Written by \`npm run bench:explain\`: the statements that activity-events itself sends, a page of 100, on a project
of ${rows.toLocaleString('en')} events beside another in the same table. Statements that the service prepares are shown
with their generic plan. Times are of one run on one machine; which index serves a query is the point.
Estimates and the partitions that were not visited are left out.

${sections.join('\n\n')}
`;
}

/** Where the second page begins. */
async function lastOfFirstPage(url: string): Promise<[at: string, id: string][]> {
  const sql = `SELECT occurred_at, id FROM activity_events.events WHERE project_id = $1
    ORDER BY occurred_at DESC, id DESC LIMIT 1 OFFSET ${PAGE - 2}`;
  const { rows } = await withClient(url, (client) =>
    client.query<{ occurred_at: Date; id: string }>(sql, [PROJECT]),
  );
  return rows.map(({ occurred_at, id }) => [occurred_at.toISOString(), id]);
}

/** Without estimates, and without the branches that never ran. */
function trimmed(plan: string): string {
  const kept: string[] = [];
  let skipped_indent = Infinity;
  for (const line of plan.split('\n')) {
    const indent = line.search(/\S/);
    if (indent > skipped_indent) continue;
    skipped_indent = Infinity;
    if (line.includes('(never executed)')) skipped_indent = indent;
    else kept.push(line.replace(/ {2}\(cost=[^)]*\)/, ' '));
  }
  return kept.join('\n');
}
