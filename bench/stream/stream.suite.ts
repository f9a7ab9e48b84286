import { none, p99AtMost } from '../bars.js';
import { withClient, type Bench, type BenchProject } from '../bench.js';
import { eventRequests } from '../events/event-requests.js';
import { EVENTS } from '../events/event-rows.js';
import { runLoad, type LoadResult } from '../load.js';
import { alternate, standingOf } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { quantile } from '../statistics.js';
import { StreamLag } from './stream-lag.js';

const WARM_UP_S = 2;
const LAG_BAR_MS = 250;
const READERS = [1, 10];

/** How long after its commit an entry is at the reader of a stream, at half of the writers' peak. */
export const stream: Suite = {
  name: 'stream',
  async *run(bench) {
    const project = await bench.project('bench stream');
    const { url } = bench.flotilla;
    const { connections, seconds } = bench.options;
    const plan = { url, connections, seconds, warm_up_s: WARM_UP_S, requests: eventRequests(project) };
    const peak = await alternate(bench, [{ name: 'peak', turn: () => runLoad(plan) }]);
    const rate = standingOf(peak, 'peak').rate.median / 2;
    yield await lagSection(bench, project, { ...plan, rate });
  },
};

async function lagSection(
  bench: Bench,
  { id, key }: BenchProject,
  plan: Parameters<typeof runLoad>[0] & { rate: number },
): Promise<Section> {
  let wrong = 0;
  const turn = async (readers: number): Promise<LoadResult> => {
    const streams = await Promise.all(Array.from({ length: readers }, () => StreamLag.open(plan.url, key)));
    const since = new Date();
    const written = await runLoad(plan);
    const ids = await eventsSince(bench.database_url, id, since);
    await Promise.all(streams.map((stream) => stream.reach(ids.length)));
    wrong += Math.max(0, written.acknowledged - ids.length);
    for (const stream of streams) {
      stream.close();
      wrong += stream.missingOrTwice(ids);
    }
    const lags_ms = streams.flatMap((stream) => stream.lags_ms);
    return { ...written, p50_ms: quantile(lags_ms, 0.5), p99_ms: quantile(lags_ms, 0.99) };
  };
  const named = READERS.map((readers) => ({ name: `${readers} reader(s)`, turn: () => turn(readers) }));
  const standings = await alternate(bench, named);
  return {
    title: 'From the commit of an event to the reader of a stream, at half the peak',
    method:
      `Events at ${plan.rate.toFixed(0)}/s, evenly paced, ${plan.connections} connections. Times are from an event’s \`created_at\`, ` +
      'which is before its commit, until a reader on the same machine has it; the warm-up counts too.',
    standings,
    bars: [
      ...standings.map((standing) =>
        p99AtMost(`commit to stream at half the peak, ${standing.name}`, LAG_BAR_MS, standing),
      ),
      none('entries of the stream, missing or twice', wrong),
    ],
  };
}

async function eventsSince(database_url: string, project_id: string, since: Date): Promise<string[]> {
  const { rows } = await withClient(database_url, (client) =>
    client.query<{ id: string }>(`SELECT id FROM ${EVENTS} WHERE project_id = $1 AND created_at >= $2`, [
      project_id,
      since,
    ]),
  );
  return rows.map(({ id }) => id);
}
