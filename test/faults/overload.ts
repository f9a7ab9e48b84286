import { setTimeout as pause } from 'node:timers/promises';
import { merged, REFUSAL, type Failures } from '../../bench/failures.js';
import { FRESH, runLoad, type AnsweredLoad, type LoadRequest } from '../../bench/load.js';
import { type AppName } from '../../start/app-schema.js';
import { residentOf } from '../../bench/memory.js';
import { queryDatabase } from '#testing';
import { type Project } from './project.js';
import { type Rig } from './rig.js';

const TIMES = 10;
const PEAK_S = 5;
const OVERLOAD_S = 20;
const CALLERS = 64;
const DISTANCE_MS = 20;
const PRODUCTS = 40;
/** More than a few seconds at the peak take. */
const PRICES_AT_THE_PEAK = 4_000;

/** An overload and what came of it. */
export interface Overload {
  name: string;
  peak: number;
  goodput: number;
  /** Told to come back. */
  refused: number;
  /** Of the load, and of the peaks before and after. */
  failures: Failures;
  p99_ms: number;
  /** Of those who got the load, after the first seconds of it and at its end. */
  memory: { app: AppName; before_mb: number; after_mb: number }[];
  /** What was acknowledged and is not there. */
  lost: string[];
}

/** Ten times what it can do, for 20 s, in the two ways that fit on one machine together with the load itself. */
export async function overloads(
  rig: Rig,
  project: Project,
  tell: (line: string) => void,
): Promise<Overload[]> {
  const headers = { authorization: `Bearer ${project.admin_key}`, 'content-type': 'application/json' };
  const found = [
    await tenTimesTheRate(rig, project, headers),
    await tenTimesTheCallers(rig, project, headers),
  ];
  for (const overload of found) {
    const { name, peak, goodput, p99_ms } = overload;
    tell(
      `${name}: peak ${peak.toFixed(0)}/s, then ${goodput.toFixed(0)}/s, p99 ${p99_ms.toFixed(0)} ms, ${memoryText(overload)}`,
    );
  }
  return found;
}

export function memoryText({ memory }: Overload): string {
  return memory
    .map(({ app, before_mb, after_mb }) => `${app} ${before_mb.toFixed(0)} → ${after_mb.toFixed(0)} MB`)
    .join(', ');
}

/**
 * Prices, with a database 20 ms away: what bounds them is how many may be under way, not the processor, so that ten
 * times as many can really be sent by the clock beside them.
 */
async function tenTimesTheRate(
  rig: Rig,
  project: Project,
  headers: Record<string, string>,
): Promise<Overload> {
  const link = rig.links.pricing.postgres;
  const url = rig.gateways[0]!;
  const peak = repricing(headers, PRICES_AT_THE_PEAK);
  link.delay(DISTANCE_MS);
  try {
    return await measured(rig, {
      name: 'ten times the rate of prices',
      apps: ['gateway', 'pricing'],
      ...{ project, table: 'pricing.changes' },
      peak: () => runLoad({ url, connections: 50, warm_up_s: 2, seconds: PEAK_S, requests: peak }),
      load: (peak_rate) => {
        const rate = TIMES * peak_rate;
        const requests = repricing(headers, Math.ceil(rate * OVERLOAD_S));
        return runLoad({ url, connections: 500, warm_up_s: 1, seconds: OVERLOAD_S, rate, requests });
      },
    });
  } finally {
    link.heal();
  }
}

/** No two of them say the same: the price that holds already is acknowledged, too, and makes no row. */
function repricing(headers: Record<string, string>, count: number): LoadRequest[] {
  return Array.from({ length: count }, (_, index) => {
    const price = `${FRESH}.${String(Math.floor(index / PRODUCTS)).padStart(5, '0')}`;
    const body = JSON.stringify({ product_id: `valve ${index % PRODUCTS}`, price });
    return { method: 'POST', path: '/v1/prices', headers, body };
  });
}

/** Events at the full speed of the machine: ten times the callers, each with its next request ready. */
async function tenTimesTheCallers(
  rig: Rig,
  project: Project,
  headers: Record<string, string>,
): Promise<Overload> {
  const event = {
    ...{ component: 'load', environment: 'faults', email: 'load@example.com', message: 'load' },
    data: {},
  };
  const requests: LoadRequest[] = [
    { method: 'POST', path: '/v1/events', headers, body: JSON.stringify(event) },
  ];
  const load = (connections: number, seconds: number): Promise<AnsweredLoad> =>
    runLoad({ url: rig.gateways[0]!, connections, warm_up_s: 2, seconds, requests });
  const overload = await measured(rig, {
    name: 'ten times the callers of events',
    apps: ['gateway', 'activity-events'],
    ...{ project, table: 'activity_events.events' },
    peak: () => load(CALLERS, PEAK_S),
    load: () => load(TIMES * CALLERS, OVERLOAD_S),
  });
  // The next one has the volume for itself.
  await queryDatabase(rig.postgres.running.url, 'TRUNCATE activity_events.events');
  return overload;
}

interface Measurement {
  name: string;
  /** Who gets the load, and whose memory is to stay flat. */
  apps: readonly AppName[];
  project: Project;
  /** Gets a row for each acknowledgement. */
  table: string;
  peak: () => Promise<AnsweredLoad>;
  load: (peak: number) => Promise<AnsweredLoad>;
}

/** The peak counts as the lower of what it was before and after: the machine may have other things to do meanwhile. */
async function measured(
  rig: Rig,
  { name, apps, project, table, peak, load }: Measurement,
): Promise<Overload> {
  const memoryOf = async (): Promise<number[]> =>
    Promise.all(apps.map(async (app) => (await residentOf(rig.of(app).process.pid!)).pss_mb));
  const rows = await rowsOf(rig, project, table);
  const first = await peak();
  const [overloaded, before, after] = await Promise.all([
    load(first.rate),
    pause((OVERLOAD_S * 1_000) / 3).then(memoryOf),
    pause(OVERLOAD_S * 1_000).then(memoryOf),
  ]);
  const second = await peak();
  const loads = [first, overloaded, second];
  const acknowledged = loads.reduce((sum, one) => sum + one.acknowledged, 0);
  const added = (await rowsOf(rig, project, table)) - rows;
  return {
    name,
    peak: Math.min(first.rate, second.rate),
    goodput: overloaded.rate,
    refused: overloaded.failures[REFUSAL] ?? 0,
    failures: merged(loads.map(({ failures }) => failures)),
    p99_ms: overloaded.p99_ms,
    memory: apps.map((app, index) => ({ app, before_mb: before[index]!, after_mb: after[index]! })),
    lost: added < acknowledged ? [`${name}: ${acknowledged} acknowledged, ${added} there`] : [],
  };
}

async function rowsOf(rig: Rig, { id }: Project, table: string): Promise<number> {
  const [row] = await queryDatabase<{ count: number }>(
    rig.postgres.running.url,
    `SELECT count(*)::int AS count FROM ${table} WHERE project_id = $1`,
    [id],
  );
  return row!.count;
}
