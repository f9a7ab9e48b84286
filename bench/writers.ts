import { withClient } from './bench.js';
import { runLoad, type LoadPlan } from './load.js';
import { standingOf, type Contender, type Standing } from './rounds.js';

/** A contender, and the database that its rows go to. */
export interface Recorder {
  name: string;
  database_url: string;
}

/** One with a server. */
export interface Writer extends Recorder {
  url: string;
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

/** Rows of each recorder's table, or those of them that a condition behind its name lets through. */
export function countRows(recorders: Recorder[], table: string): Promise<number[]> {
  return Promise.all(
    recorders.map(({ database_url }) =>
      withClient(database_url, async (client) => {
        const { rows } = await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
        return rows[0]!.count;
      }),
    ),
  );
}

/** Rows that were acknowledged since `before` was counted, and are not there. Those of one database share its table. */
export async function missingRows(
  recorders: Recorder[],
  table: string,
  before: number[],
  standings: Standing[],
): Promise<number> {
  const after = await countRows(recorders, table);
  const missing = new Map(
    recorders.map(({ database_url }, index) => [database_url, before[index]! - after[index]!]),
  );
  for (const { name, database_url } of recorders)
    missing.set(database_url, missing.get(database_url)! + standingOf(standings, name).acknowledged);
  return [...missing.values()].reduce((sum, one) => sum + Math.max(0, one), 0);
}
