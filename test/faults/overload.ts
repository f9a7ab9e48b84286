import { setTimeout as pause } from 'node:timers/promises';
import { runLoad, type LoadRequest, type LoadResult } from '../../bench/load.js';
import { type AppName } from '../../start/app-schema.js';
import { residentOf } from '../../bench/memory.js';
import { queryDatabase } from '#testing';
import { type Project } from './project.js';
import { type Rig } from './rig.js';

const TIMES = 10;
const PEAK_S = 5;
const OVERLOAD_S = 20;
const CALLERS = 64;
const GOODPUT = 0.9;
const P99_MS = 1_000;
/** How far a process may be above what it had after the first seconds of the overload. */
const FLAT = 1.3;
const FLAT_MB = 48;
const DISTANCE_MS = 20;

/** An overload and what came of it. */
export interface Overload {
  name: string;
  peak: number;
  goodput: number;
  refused: number;
  p99_ms: number;
  memory: string;
  /** What was acknowledged and is not there. */
  lost: string[];
  /** Too slow, or too large. */
  violations: string[];
}

/** Ten times what it can do, for 20 s, in the two ways that fit on one machine together with the load itself. */
export async function overloads(
  rig: Rig,
  project: Project,
  tell: (line: string) => void,
): Promise<Overload[]> {
  const headers = { authorization: `Bearer ${project.admin_key}`, 'content-type': 'application/json' };
  const found = [await tenTimesTheRate(rig, headers), await tenTimesTheCallers(rig, project, headers)];
  for (const { name, peak, goodput, p99_ms, memory } of found)
    tell(
      `${name}: peak ${peak.toFixed(0)}/s, then ${goodput.toFixed(0)}/s, p99 ${p99_ms.toFixed(0)} ms, ${memory}`,
    );
  return found;
}

/**
 * Prices, with a database 20 ms away: what bounds them is how many may be under way, not the processor, so that ten
 * times as many can really be sent by the clock beside them.
 */
async function tenTimesTheRate(rig: Rig, headers: Record<string, string>): Promise<Overload> {
  const link = rig.links.pricing.postgres;
  const requests = Array.from({ length: 400 }, (_, index) => ({
    method: 'POST' as const,
    path: '/v1/prices',
    headers,
    body: JSON.stringify({ product_id: `valve ${index % 40}`, price: `${index + 1}.25` }),
  }));
  const at = rig.gateways[0]!;
  link.delay(DISTANCE_MS);
  try {
    return await measured(rig, {
      name: 'ten times the rate of prices',
      apps: ['gateway', 'pricing'],
      peak: () => runLoad({ url: at, connections: 50, warm_up_s: 2, seconds: PEAK_S, requests }),
      load: (peak) =>
        runLoad({
          ...{ url: at, connections: 500, warm_up_s: 1, seconds: OVERLOAD_S, requests },
          rate: TIMES * peak,
        }),
    });
  } finally {
    link.heal();
  }
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
  let acknowledged = 0;
  const load = async (connections: number, seconds: number): Promise<LoadResult> => {
    const result = await runLoad({ url: rig.gateways[0]!, connections, warm_up_s: 2, seconds, requests });
    acknowledged += result.acknowledged;
    return result;
  };
  const overload = await measured(rig, {
    name: 'ten times the callers of events',
    apps: ['gateway', 'activity-events'],
    peak: () => load(CALLERS, PEAK_S),
    load: () => load(TIMES * CALLERS, OVERLOAD_S),
  });
  const [row] = await queryDatabase<{ events: number }>(
    rig.postgres.running.url,
    'SELECT count(*)::int AS events FROM activity_events.events WHERE project_id = $1',
    [project.id],
  );
  if (row!.events < acknowledged)
    overload.lost.push(`${overload.name}: ${acknowledged} acknowledged, ${row!.events} there`);
  return overload;
}

interface Measurement {
  name: string;
  /** Who gets the load, and whose memory is to stay flat. */
  apps: readonly AppName[];
  peak: () => Promise<LoadResult>;
  load: (peak: number) => Promise<LoadResult>;
}

/** The peak counts as the lower of what it was before and after: the machine may have other things to do meanwhile. */
async function measured(rig: Rig, { name, apps, peak, load }: Measurement): Promise<Overload> {
  const memoryOf = async (): Promise<number[]> =>
    Promise.all(apps.map(async (app) => (await residentOf(rig.of(app).process.pid!)).pss_mb));
  const first = await peak();
  const [{ rate, p99_ms, failed }, before, after] = await Promise.all([
    load(first.rate),
    pause((OVERLOAD_S * 1_000) / 3).then(memoryOf),
    pause(OVERLOAD_S * 1_000).then(memoryOf),
  ]);
  const second = await peak();
  const lower = Math.min(first.rate, second.rate);

  const memory = apps.map(
    (app, index) => `${app} ${before[index]!.toFixed(0)} → ${after[index]!.toFixed(0)} MB`,
  );
  const grown = memory.filter((_, index) => after[index]! > before[index]! * FLAT + FLAT_MB);
  const violations = [
    ...(rate < GOODPUT * lower ? [`${rate.toFixed(0)}/s of ${lower.toFixed(0)}/s at the peak`] : []),
    ...(p99_ms > P99_MS ? [`p99 of the accepted is ${p99_ms.toFixed(0)} ms`] : []),
    ...grown,
  ].map((sentence) => `${name}: ${sentence}`);
  return {
    name,
    peak: lower,
    goodput: rate,
    refused: failed,
    p99_ms,
    memory: memory.join(', '),
    lost: [],
    violations,
  };
}
