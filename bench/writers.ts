import { withClient } from './bench.js';
import { runLoad, type LoadPlan } from './load.js';
import { standingOf, type Contender, type Standing } from './rounds.js';

/** A contender's server, and the database that its rows go to. */
export interface Writer {
  name: string;
  url: string;
  database_url: string;
}

/** Takes turns with a load; between them its tables are as autovacuum would leave them. */
export function writing(
  { name, url, database_url }: Writer,
  table: string,
  plan: Omit<LoadPlan, 'url'>,
): Contender {
  return { name, turn: () => runLoad({ ...plan, url }), settle: () => tidy(database_url, table) };
}

/** The table as autovacuum would leave it, now instead of in the middle of somebody's turn. */
export function tidy(database_url: string, table: string): Promise<void> {
  return withClient(database_url, async (client) => {
    await client.query(`VACUUM (ANALYZE) ${table}`);
    await client.query('CHECKPOINT');
  });
}

/** Rows of each writer's table. */
export function countRows(writers: Writer[], table: string): Promise<number[]> {
  return Promise.all(
    writers.map(({ database_url }) =>
      withClient(database_url, async (client) => {
        const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
        return rows[0]!.count;
      }),
    ),
  );
}

/** Rows that were acknowledged since `before` was counted, and are not there. */
export async function missingRows(
  writers: Writer[],
  table: string,
  before: number[],
  standings: Standing[],
): Promise<number> {
  const after = await countRows(writers, table);
  const missing = writers.map(({ name }, index) =>
    Math.max(0, standingOf(standings, name).acknowledged - (after[index]! - before[index]!)),
  );
  return missing.reduce((sum, one) => sum + one, 0);
}
