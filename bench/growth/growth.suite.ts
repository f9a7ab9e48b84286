import { withClient, type Bench } from '../bench.js';
import { eventGrowth } from '../events/event-growth.js';
import { BEFORE_FEEDS } from '../fill-tables.js';
import { firmwareGrowth } from '../firmware/firmware-growth.js';
import { runLoad } from '../load.js';
import { messageGrowth } from '../messages/message-growth.js';
import { priceGrowth } from '../prices/price-growth.js';
import { alternate, type Contender } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { stateGrowth } from '../states/state-growth.js';
import { timelineGrowth } from '../timeline/timeline-growth.js';
import { tidy } from '../writers.js';
import { type Growing, type GrowthQuestion } from './growing.js';

const SERVICES = [eventGrowth, stateGrowth, firmwareGrowth, messageGrowth, priceGrowth, timelineGrowth];
/** What a request costs says processor time, too, and that hardly differs from turn to turn. */
const ROUNDS = 2;

/** The main reads and writes of each service, with more and more rows in its tables. */
export const growth = SERVICES.map((growing): Suite => ({
  name: `growth/${growing.service}`,
  async *run(bench) {
    for (const rows of bench.options.growth) yield await growthSection(bench, growing, rows);
  },
}));

async function growthSection(bench: Bench, growing: Growing, rows: number): Promise<Section> {
  const { connections, rounds } = bench.options;
  const questions = await bench.prepare(`${rows} rows`, () => growing.grow(bench, rows));
  const contenders = questions.map((question) => asking(bench, question));
  // Code that has not run yet is slow: that is no difference between sizes.
  if (rows === bench.options.growth[0]) await alternate(bench, contenders, 1);
  const standings = await alternate(bench, contenders, Math.min(rounds, ROUNDS));
  return {
    title: `Growth of ${growing.service}: ${rows} rows`,
    method: `Closed loop, ${connections} connections, of a project of so many rows. What a turn has written is deleted after it. No two callers ask the same with the same key.`,
    standings,
    bars: [],
    rows,
  };
}

function asking(bench: Bench, { name, requests, adds_to }: GrowthQuestion): Contender {
  const { connections, seconds } = bench.options;
  const plan = { url: bench.flotilla.url, connections, warm_up_s: 1, seconds, requests };
  return {
    name,
    turn: () => runLoad(plan),
    settle: adds_to === undefined ? undefined : () => forget(bench.database_url, adds_to),
  };
}

/** Takes away what was written through the product: the next turn finds as many rows as this one. */
async function forget(database_url: string, table: string): Promise<void> {
  await withClient(database_url, (client) =>
    client.query(`DELETE FROM ${table} WHERE transaction_id > ${BEFORE_FEEDS}`),
  );
  await tidy(database_url, table);
}
