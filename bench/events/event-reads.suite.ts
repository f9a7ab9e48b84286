import { prepareSchema } from '#embedded';
import { atLeast, atMost, type Bar } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { runLoad, type LoadRequest } from '../load.js';
import { dayOfEvents } from '../event-generator.js';
import { alternate, standingOf } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { withBestPool } from '../tuned-pool.js';
import { eventQuestions, type EventQuestion } from './event-queries.js';
import { loadEvents, today } from './event-rows.js';

const SMALL_ROWS = 10_000;
const WARM_UP_S = 1;

/** Pages of 100, `GET /v1/events`, of a large project and of a small one, with every kind of filter. */
export const eventReads: Suite = {
  name: 'events/reads',
  async run(bench) {
    const [large, small] = [await bench.project('bench large'), await bench.project('bench small')];
    // One seed: who and what is frequent in one of them is so in the other.
    const day = { seed: 3, day: today() };
    await loadEvents(bench.database_url, small.id, { ...day, count: SMALL_ROWS });
    await loadEvents(bench.database_url, large.id, { ...day, count: bench.options.rows });
    const { running: monolith, pool_size } = await startMonolith(bench, [large, small]);

    const sections: Section[] = [];
    for (const question of eventQuestions(day.day, [...dayOfEvents({ ...day, count: SMALL_ROWS })])) {
      console.error(`GET /v1/events: ${question.name}`);
      sections.push(await questionSection(bench, monolith.url, pool_size, question, large, small));
    }
    sections.push(await aloneSection(bench, monolith.url, large));
    await monolith.stop();
    return sections;
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
  return withBestPool('monolith', start, { connections: bench.options.connections, requests });
}

async function questionSection(
  bench: Bench,
  monolith_url: string,
  pool_size: number,
  question: EventQuestion,
  large: BenchProject,
  small: BenchProject,
): Promise<Section> {
  const { connections, seconds, rounds, rows } = bench.options;
  const { name } = question;
  const plan = { connections, seconds, warm_up_s: WARM_UP_S };
  const [largeRequests, smallRequests] = await Promise.all(
    [large, small].map((project) => requestsOf(question, bench.flotilla.url, project)),
  );
  const standings = await alternate(
    [
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
      {
        name: 'monolith, small',
        turn: () => runLoad({ ...plan, url: monolith_url, requests: smallRequests! }),
      },
    ],
    rounds,
  );
  const median = (contender: string): number => standingOf(standings, contender).rate.median;
  const bars: Bar[] = [
    atLeast(`flotilla / monolith, ${name}`, 0.8, median('flotilla, large'), median('monolith, large')),
    atMost(`flotilla, small / large, ${name}`, 1.5, median('flotilla, small'), median('flotilla, large')),
  ];
  return {
    title: `GET /v1/events, ${name}`,
    method: `Closed loop, pages of 100; large is a project of ${rows} rows, small one of ${SMALL_ROWS}; monolith with ${pool_size} connections to Postgres.`,
    standings,
    bars,
  };
}

async function aloneSection(bench: Bench, monolith_url: string, project: BenchProject): Promise<Section> {
  const requests = [pageRequest({}, project)];
  const plan = { connections: 1, warm_up_s: WARM_UP_S, seconds: bench.options.seconds, requests };
  const standings = await alternate(
    [
      { name: 'flotilla', turn: () => runLoad({ ...plan, url: bench.flotilla.url }) },
      { name: 'monolith', turn: () => runLoad({ ...plan, url: monolith_url }) },
    ],
    bench.options.rounds,
  );
  const p50 = (name: string): number => standingOf(standings, name).p50_ms.median;
  return {
    title: 'GET /v1/events, one call alone',
    method: 'One connection, closed loop, the newest page of the large project.',
    standings,
    bars: [atMost('flotilla / monolith, p50 of a page', 1.5, p50('flotilla'), p50('monolith'))],
  };
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

function pageRequest(query: Record<string, string>, { key }: BenchProject): LoadRequest {
  const path = `/v1/events?${new URLSearchParams({ limit: '100', ...query }).toString()}`;
  return { method: 'GET', path, headers: { authorization: `Bearer ${key}` } };
}
