import { setTimeout as pause } from 'node:timers/promises';
import { runLoad, type LoadRequest, type LoadResult } from '../../bench/load.js';
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

/** An overload and what came of it; what breaks the promise is a violation. */
export interface Overload {
  name: string;
  peak: number;
  goodput: number;
  refused: number;
  p99_ms: number;
  memory: string;
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
  link.delay(DISTANCE_MS);
  try {
    const peak = await runLoad({
      url: rig.gateways[0]!,
      connections: 50,
      warm_up_s: 2,
      seconds: PEAK_S,
      requests,
    });
    return await measured(rig, 'ten times the rate of prices', ['gateway', 'pricing'], peak, () =>
      runLoad({
        url: rig.gateways[0]!,
        connections: 500,
        warm_up_s: 1,
        seconds: OVERLOAD_S,
        rate: TIMES * peak.rate,
        requests,
      }),
    );
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
    component: 'load',
    environment: 'faults',
    email: 'load@example.com',
    message: 'load',
    data: {},
  };
  const requests: LoadRequest[] = [
    { method: 'POST', path: '/v1/events', headers, body: JSON.stringify(event) },
  ];
  const load = (connections: number, seconds: number) =>
    runLoad({ url: rig.gateways[0]!, connections, warm_up_s: 2, seconds, requests });
  const peak = await load(CALLERS, PEAK_S);
  let acknowledged = peak.acknowledged;
  const name = 'ten times the callers of events';
  const overload = await measured(rig, name, ['gateway', 'activity-events'], peak, async () => {
    const result = await load(TIMES * CALLERS, OVERLOAD_S);
    acknowledged += result.acknowledged;
    return result;
  });
  const [row] = await queryDatabase<{ events: number }>(
    rig.postgres.url,
    'SELECT count(*)::int AS events FROM activity_events.events WHERE project_id = $1',
    [project.id],
  );
  if (row!.events < acknowledged)
    overload.violations.push(`${name}: ${acknowledged} acknowledged, ${row!.events} there`);
  return overload;
}

async function measured(
  rig: Rig,
  name: string,
  apps: readonly ('gateway' | 'pricing' | 'activity-events')[],
  peak: LoadResult,
  load: () => Promise<LoadResult>,
): Promise<Overload> {
  const pids = apps.map((app) => rig.of(app).process.pid!);
  const memoryOf = async (): Promise<number[]> =>
    Promise.all(pids.map(async (pid) => (await residentOf(pid)).pss_mb));
  const running = load();
  const early = pause((OVERLOAD_S * 1_000) / 3).then(memoryOf);
  const late = pause(OVERLOAD_S * 1_000).then(memoryOf);
  const [result, before, after] = await Promise.all([running, early, late]);

  const violations: string[] = [];
  if (result.rate < GOODPUT * peak.rate)
    violations.push(`${name}: ${result.rate.toFixed(0)}/s of ${peak.rate.toFixed(0)}/s at the peak`);
  if (result.p99_ms > P99_MS)
    violations.push(`${name}: p99 of the accepted is ${result.p99_ms.toFixed(0)} ms`);
  after.forEach((megabytes, index) => {
    if (megabytes > before[index]! * FLAT + FLAT_MB)
      violations.push(
        `${name}: ${apps[index]} grew from ${before[index]!.toFixed(0)} to ${megabytes.toFixed(0)} MB`,
      );
  });
  const memory = apps
    .map((app, index) => `${app} ${before[index]!.toFixed(0)} → ${after[index]!.toFixed(0)} MB`)
    .join(', ');
  return {
    name,
    peak: peak.rate,
    goodput: result.rate,
    refused: result.failed,
    p99_ms: result.p99_ms,
    memory,
    violations,
  };
}
