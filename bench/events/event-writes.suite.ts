import { ANYTHING } from '#embedded';
import { none, p50Within, rateAtLeast, type Bar } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { runLoad, type LoadPlan, type LoadRequest } from '../load.js';
import { pgbenchVersion, runPgbench } from '../pgbench.js';
import { alternate, standingOf, type Contender, type Standing } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { silentGateway } from '../silent-gateway.js';
import { withBestPool } from '../tuned-pool.js';
import { countRows, missingRows, tidy, writing, type Recorder, type Writer } from '../writers.js';
import { eventRequests } from './event-requests.js';
import { EVENTS, loadEvents, POSTED_EVENTS, today } from './event-rows.js';

const WARM_UP_S = 2;
const NOTHING = 'GET /health/live';
const SILENT = 'the same request to a route that does nothing';

/** Durable single events, `POST /v1/events`. */
export const eventWrites: Suite = {
  name: 'events/writes',
  async *run(bench) {
    const project = await bench.project('bench writes');
    const requests = eventRequests(project);
    const { writers, pools } = await startWriters(bench, project, requests);
    const silent = await silentGateway(bench);
    const plan = {
      connections: bench.options.connections,
      warm_up_s: WARM_UP_S,
      seconds: bench.options.seconds,
    };
    const pgbench = await pgbenchContender(bench, project, plan);
    const recorders = [...writers, ...pgbench];
    const before = await countRows(recorders, POSTED_EVENTS);

    const contenders = [
      loadContender(NOTHING, { ...plan, url: bench.flotilla.url, requests: [liveRequest()] }),
      loadContender(SILENT, {
        ...plan,
        url: silent.url,
        requests: await silentRequests(bench),
      }),
      ...writers.map((writer) => writing(writer, EVENTS, { ...plan, requests })),
      ...pgbench,
    ];
    const peak = await alternate(bench, contenders);
    await silent.stop();
    yield peakSection(peak, pools, await missingRows(recorders, POSTED_EVENTS, before, peak));
    yield await halfPeakSection(bench, writers, peak, requests);
    yield await aloneSection(bench, writers, requests);
  },
};

async function startWriters(
  bench: Bench,
  project: BenchProject,
  requests: LoadRequest[],
): Promise<{ writers: Writer[]; pools: string }> {
  const preload = { seed: 1, day: today(), count: bench.options.preload };
  const monolithDatabase = await bench.databaseLike('activity-events', 'activity_events', 'monolith');
  const stockDatabase = await bench.databaseLike('activity-events', 'activity_events', 'stock');
  await bench.prepare(`three databases with ${preload.count} events each`, () =>
    Promise.all(
      [bench.database_url, monolithDatabase.admin, stockDatabase.admin].map((url) =>
        loadEvents(url, project.id, preload),
      ),
    ),
  );
  const keys = JSON.stringify({ [project.key]: project.id });
  const plan = { connections: bench.options.connections, requests };

  const monolith = await withBestPool(
    bench,
    'monolith',
    (pool) =>
      bench.child('monolith', 'bench/events/event-monolith.main.js', {
        DATABASE_URL: monolithDatabase.service,
        POOL_SIZE: String(pool),
        KEYS: keys,
      }),
    plan,
  );
  const stock = await withBestPool(
    bench,
    'stock',
    async (pool) => {
      const environment = { NATS_URL: bench.nats.urlOf(ANYTHING.name), KEYS: keys };
      const service = await bench.child('stock-service', 'bench/events/event-stock-service.main.js', {
        ...environment,
        DATABASE_URL: stockDatabase.service,
        POOL_SIZE: String(pool),
      });
      const front = await bench.child('stock-front', 'bench/events/event-stock-front.main.js', environment);
      return { url: front.url, stop: () => front.stop().then(() => service.stop()) };
    },
    plan,
  );
  return {
    writers: [
      { name: 'flotilla', url: bench.flotilla.url, database_url: bench.database_url },
      { name: 'monolith', url: monolith.running.url, database_url: monolithDatabase.admin },
      { name: 'stock Nest NATS', url: stock.running.url, database_url: stockDatabase.admin },
    ],
    pools: `monolith ${monolith.pool_size}, stock ${stock.pool_size}`,
  };
}

function loadContender(name: string, plan: LoadPlan): Contender {
  return { name, turn: () => runLoad(plan) };
}

function liveRequest(): LoadRequest {
  return { method: 'GET', path: '/health/live', headers: {} };
}

async function silentRequests(bench: Bench): Promise<LoadRequest[]> {
  return eventRequests({ key: await bench.secret('admin') }, '/v1/bench/events');
}

async function pgbenchContender(
  bench: Bench,
  project: BenchProject,
  plan: { connections: number; warm_up_s: number; seconds: number },
): Promise<(Contender & Recorder)[]> {
  if (!pgbenchVersion()) {
    console.error('pgbench is not on PATH: left out');
    return [];
  }
  const preload = { seed: 1, day: today(), count: bench.options.preload };
  const database = await bench.prepare(`a database with ${preload.count} events for pgbench`, async () => {
    const urls = await bench.databaseLike('activity-events', 'activity_events', 'pgbench');
    await loadEvents(urls.admin, project.id, preload);
    return urls;
  });
  return [
    {
      name: 'pgbench',
      database_url: database.admin,
      turn: () =>
        runPgbench({
          ...plan,
          database_url: database.service,
          clients: plan.connections,
          directory: bench.directory,
          script: pgbenchScript(project.id),
        }),
      settle: () => tidy(database.admin, EVENTS),
    },
  ];
}

function pgbenchScript(project_id: string): string {
  return `\\set component random_zipfian(1, 8, 1.1)
\\set address random_zipfian(1, 500, 1.1)
\\set device random_zipfian(1, 2000, 1.1)
\\set number random(1, 100000)
INSERT INTO activity_events.events
  (project_id, id, component, environment, email, message, data, device_id, occurred_at, created_at)
VALUES ('${project_id}', uuidv7(), 'component ' || :component, 'production', 'ada.' || :address || '@example.com',
  'Battery changed from ' || :number || ' to ' || :device, '{"attempt":1,"duration_ms":4711,"tags":["Battery","north"]}',
  'pump ' || :device || '/north', now(), now());
`;
}

function peakSection(standings: Standing[], pools: string, missing: number): Section {
  const flotilla = standingOf(standings, 'flotilla');
  const bar = (factor: number, baseline: string): Bar =>
    rateAtLeast('POST /v1/events', factor, flotilla, standingOf(standings, baseline));
  return {
    title: 'POST /v1/events, one durable event a request',
    method: `Closed loop. Connections to Postgres, the best of 8, 16 and 32: ${pools}; flotilla as it ships.`,
    standings,
    bars: [
      bar(2, 'monolith'),
      bar(5, 'stock Nest NATS'),
      bar(0.6, NOTHING),
      bar(0.6, SILENT),
      none('POST /v1/events, acknowledged and missing', missing),
    ],
  };
}

async function halfPeakSection(
  bench: Bench,
  writers: Writer[],
  peak: Standing[],
  requests: LoadRequest[],
): Promise<Section> {
  const { connections, seconds } = bench.options;
  const contenders = writers.map((writer) => {
    const rate = standingOf(peak, writer.name).rate.median / 2;
    return writing(writer, EVENTS, { connections, warm_up_s: 1, seconds, rate, requests });
  });
  const before = await countRows(writers, POSTED_EVENTS);
  const standings = await alternate(bench, contenders);
  const missing = await missingRows(writers, POSTED_EVENTS, before, standings);
  return {
    title: 'POST /v1/events at half of each one’s own peak',
    method: 'Open loop, evenly paced; a latency counts from when its request was due.',
    standings,
    bars: [none('POST /v1/events at half the peak, acknowledged and missing', missing)],
  };
}

async function aloneSection(bench: Bench, writers: Writer[], requests: LoadRequest[]): Promise<Section> {
  const plan = { connections: 1, warm_up_s: 1, seconds: bench.options.seconds, requests };
  const before = await countRows(writers, POSTED_EVENTS);
  const standings = await alternate(
    bench,
    writers.map((writer) => writing(writer, EVENTS, plan)),
  );
  const missing = await missingRows(writers, POSTED_EVENTS, before, standings);
  const [flotilla, monolith] = [standingOf(standings, 'flotilla'), standingOf(standings, 'monolith')];
  return {
    title: 'POST /v1/events, one call alone',
    method: 'One connection, closed loop.',
    standings,
    bars: [
      p50Within('POST /v1/events, one call alone', 1.5, flotilla, monolith),
      none('POST /v1/events, one call alone, acknowledged and missing', missing),
    ],
  };
}
