import { prepareSchema } from '#embedded';
import { p50Within, rateAtLeast, rateWithin } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { runLoad, type LoadRequest } from '../load.js';
import { dayOfEvents } from '../event-generator.js';
import { alternate, standingOf, type Contender, type Standing } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { withBestPool } from '../tuned-pool.js';
import { differentPages, eventQuestions, type EventQuestion } from './event-queries.js';
import { pageRequest } from './event-requests.js';
import { loadEvents, today } from './event-rows.js';

const SMALL_ROWS = 10_000;
const WARM_UP_S = 1;

/** What all callers ask for, over and over. */
interface Reading {
  name: string;
  /** Whether all of them ask for one page: the product's callers share answers then, the monolith's do not. */
  isShared: boolean;
  requests: (project: BenchProject) => LoadRequest[] | Promise<LoadRequest[]>;
}

/** Pages of 100, `GET /v1/events`, of a large project and of a small one, with every kind of filter. */
export const eventReads: Suite = {
  name: 'events/reads',
  async *run(bench) {
    const [large, small] = [await bench.project('bench large'), await bench.project('bench small')];
    // One seed: who and what is frequent in one of them is so in the other.
    const day = { seed: 3, day: today() };
    await bench.prepare(`${SMALL_ROWS} and ${bench.options.rows} events`, async () => {
      await loadEvents(bench.database_url, small.id, { ...day, count: SMALL_ROWS });
      await loadEvents(bench.database_url, large.id, { ...day, count: bench.options.rows });
    });
    const { running: monolith, pool_size } = await startMonolith(bench, [large, small]);

    const questions = eventQuestions(day.day, [...dayOfEvents({ ...day, count: SMALL_ROWS })]);
    const [newest, ...others] = questions.map((question): Reading => ({
      name: question.name,
      isShared: true,
      requests: (project) => requestsOf(question, bench.flotilla.url, project),
    }));
    const different: Reading = {
      name: 'a page of its own each',
      isShared: false,
      requests: (project) => differentPages(day.day).map((query) => pageRequest(query, project)),
    };
    yield await readingSection(bench, monolith.url, pool_size, newest!, large, small);
    const peak = await readingSection(bench, monolith.url, pool_size, different, large, small);
    yield peak;
    for (const reading of others) {
      yield await readingSection(bench, monolith.url, pool_size, reading, large, small);
    }
    yield await halfPeakSection(bench, monolith.url, peak.standings, different, large);
    yield await aloneSection(bench, monolith.url, large);
  },
};

/** The same queries on the same tables, without a gateway and a bus before them. */
async function startMonolith(
  bench: Bench,
  projects: BenchProject[],
): Promise<{ running: { url: string; stop(): Promise<void> }; pool_size: number }> {
  const { service } = await prepareSchema(bench.database_url, 'activity_events');
  const start = (pool_size: number): Promise<{ url: string; stop(): Promise<void> }> =>
    bench.child('monolith-reads', 'bench/events/event-monolith.main.js', {
      DATABASE_URL: service,
      POOL_SIZE: String(pool_size),
      KEYS: JSON.stringify(Object.fromEntries(projects.map(({ id, key }) => [key, id]))),
    });
  const requests = [pageRequest({}, projects[0]!)];
  return withBestPool(bench, 'monolith', start, { connections: bench.options.connections, requests });
}

async function readingSection(
  bench: Bench,
  monolith_url: string,
  pool_size: number,
  { name, isShared, requests }: Reading,
  large: BenchProject,
  small: BenchProject,
): Promise<Section> {
  const { connections, seconds, rows } = bench.options;
  console.error(`GET /v1/events: ${name}`);
  const plan = { connections, seconds, warm_up_s: WARM_UP_S };
  const [largeRequests, smallRequests] = await Promise.all(
    [large, small].map(async (project) => requests(project)),
  );
  const [largePage, smallPage] = await Promise.all(
    [largeRequests!, smallRequests!].map(([request]) => lengthOf(request!, bench.flotilla.url)),
  );
  const standings = await alternate(bench, [
    {
      name: 'flotilla, large',
      turn: () => runLoad({ ...plan, url: bench.flotilla.url, requests: largeRequests! }),
    },
    {
      name: 'monolith, large',
      turn: () => runLoad({ ...plan, url: monolith_url, requests: largeRequests! }),
    },
    {
      name: 'flotilla, small',
      turn: () => runLoad({ ...plan, url: bench.flotilla.url, requests: smallRequests! }),
    },
  ]);
  const flotilla = standingOf(standings, 'flotilla, large');
  const what = `GET /v1/events, ${rows} rows, ${name}`;
  return {
    title: `GET /v1/events, ${name}`,
    method: `Closed loop, ${isShared ? 'all ask for one page, and those of Flotilla in one frame share the answer' : 'no two ask for one page'}; large is a project of ${rows} rows, small one of ${SMALL_ROWS}, and what is found is a page of ${largePage!} and one of ${smallPage!}; monolith with ${pool_size} connections to Postgres.`,
    standings,
    bars: [
      rateAtLeast(what, 0.8, flotilla, standingOf(standings, 'monolith, large')),
      rateWithin(what, 1.5, flotilla, standingOf(standings, 'flotilla, small')),
    ],
  };
}

async function halfPeakSection(
  bench: Bench,
  monolith_url: string,
  peak: Standing[],
  { name, requests }: Reading,
  project: BenchProject,
): Promise<Section> {
  const { connections, seconds } = bench.options;
  const plan = { connections, warm_up_s: WARM_UP_S, seconds, requests: await requests(project) };
  const asking = (contender: string, url: string): Contender => {
    const rate = standingOf(peak, contender).rate.median / 2;
    return { name: contender, turn: () => runLoad({ ...plan, url, rate }) };
  };
  return {
    title: 'GET /v1/events at half of each one’s own peak',
    method: `Open loop, evenly paced, ${name}; a latency counts from when its request was due.`,
    standings: await alternate(bench, [
      asking('flotilla, large', bench.flotilla.url),
      asking('monolith, large', monolith_url),
    ]),
    bars: [],
  };
}

async function aloneSection(bench: Bench, monolith_url: string, project: BenchProject): Promise<Section> {
  const requests = [pageRequest({}, project)];
  const plan = { connections: 1, warm_up_s: WARM_UP_S, seconds: bench.options.seconds, requests };
  const standings = await alternate(bench, [
    { name: 'flotilla', turn: () => runLoad({ ...plan, url: bench.flotilla.url }) },
    { name: 'monolith', turn: () => runLoad({ ...plan, url: monolith_url }) },
  ]);
  const [flotilla, monolith] = [standingOf(standings, 'flotilla'), standingOf(standings, 'monolith')];
  return {
    title: 'GET /v1/events, one call alone',
    method: 'One connection, closed loop, the newest page of the large project.',
    standings,
    bars: [p50Within('GET /v1/events, one call alone', 1.5, flotilla, monolith)],
  };
}

/** How many events are found: a page that is shorter is cheaper. */
async function lengthOf({ path, headers }: LoadRequest, url: string): Promise<number> {
  const response = await fetch(new URL(path, url), { headers });
  return ((await response.json()) as { events: object[] }).events.length;
}

async function requestsOf(
  { query, second_page }: EventQuestion,
  url: string,
  project: BenchProject,
): Promise<LoadRequest[]> {
  if (!second_page) return [pageRequest(query, project)];
  const { path, headers } = pageRequest(query, project);
  const response = await fetch(new URL(path, url), { headers });
  const { next_cursor } = (await response.json()) as { next_cursor: string | null };
  if (next_cursor === null) throw new Error(`No second page at ${path}`);
  return [pageRequest({ ...query, cursor: next_cursor }, project)];
}
