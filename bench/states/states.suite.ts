import { none, p50Within, rateAtLeast, rateWithin } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { registerDevices } from '../device-rows.js';
import { runLoad, type LoadRequest } from '../load.js';
import { jsonHeaders, silentRequest } from '../requests.js';
import { alternate, standingOf, type Contender, type Standing } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { silentGateway } from '../silent-gateway.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing } from '../writers.js';
import { changesOf, DEVICES, readsOf, timesOf } from './state-requests.js';
import { HISTORY, loadHistory, loadStates } from './state-rows.js';

/** Few enough for the warm-up to be the first report of each. */
const REPEATING = 2_000;
const LONG_CHANGES = 100_000;
const SHORT_CHANGES = 100;

/** Reports, states now and states then. */
export const states: Suite = {
  name: 'states',
  async *run(bench) {
    const project = await bench.project('bench states');
    const large = await bench.project('bench many states');
    const { database_url, options } = bench;
    const end = new Date();
    await bench.prepare(`${DEVICES} and ${options.rows} devices`, () =>
      Promise.all([
        registerDevices(database_url, project.id, 'changing-', DEVICES),
        registerDevices(database_url, project.id, 'repeating-', REPEATING),
        registerDevices(database_url, large.id, 'changing-', options.rows),
      ]),
    );
    await bench.prepare('their states', async () => {
      await loadStates(database_url, project.id, 'changing-', DEVICES);
      await loadHistory(database_url, project.id, 'short', SHORT_CHANGES, end);
      await loadHistory(database_url, project.id, 'long', LONG_CHANGES, end);
      await loadStates(database_url, large.id, 'changing-', options.rows);
    });
    yield await writeSection(bench, project, large);
    yield await readSection(bench, project, large);
    yield await pastSection(bench, project, end);
  },
};

async function writeSection(bench: Bench, project: BenchProject, large: BenchProject): Promise<Section> {
  const { connections, seconds, rows } = bench.options;
  const changing = changesOf(project, connections, 1);
  const { writer: monolith, pool_size } = await startMonolith(bench, {
    app: 'device-state',
    schema: 'device_state',
    script: 'bench/states/state-monolith.main.js',
    project,
    requests: changing,
    load: (database_url) => loadStates(database_url, project.id, 'changing-', DEVICES),
  });
  const plan = { connections, warm_up_s: 2, seconds };
  const flotilla = { name: 'flotilla', url: bench.flotilla.url, database_url: bench.database_url };
  const spread = { ...flotilla, name: `flotilla, ${rows} devices` };
  const writers = [flotilla, monolith, spread];
  const before = await countRows(writers, HISTORY);
  const changes = await alternate(bench, [
    writing(flotilla, HISTORY, { ...plan, requests: changing }),
    writing(monolith, HISTORY, { ...plan, requests: changing }),
    writing(spread, HISTORY, {
      ...plan,
      requests: changesOf(large, connections, Math.floor(rows / DEVICES)),
    }),
  ]);
  const missing = await missingRows(writers, HISTORY, before, changes);
  const repeats = repeatsOf(project);
  const duplicates = await alternate(bench, [
    writing({ ...flotilla, name: 'flotilla, duplicates' }, HISTORY, {
      ...plan,
      requests: repeats,
    }),
    writing({ ...monolith, name: 'monolith, duplicates' }, HISTORY, {
      ...plan,
      requests: repeats,
    }),
  ]);
  await bench.stopContenders();
  const standings = [...changes, ...duplicates];
  const of = (name: string): Standing => standingOf(standings, name);
  return {
    title: `PATCH state, over ${DEVICES} devices`,
    method: `Closed loop. Every report changes its device but for the duplicates. The monolith does SELECT FOR UPDATE, UPDATE and INSERT, with ${pool_size} connections to Postgres.`,
    standings,
    bars: [
      rateAtLeast('PATCH state that changes', 1.5, of('flotilla'), of('monolith')),
      rateAtLeast('PATCH state, duplicates', 1.3, of('flotilla, duplicates'), of('flotilla')),
      rateWithin(`PATCH state, ${rows} devices for ${DEVICES}`, 1.3, of(spread.name), of('flotilla')),
      none('PATCH state, acknowledged and missing', missing),
    ],
  };
}

async function readSection(bench: Bench, project: BenchProject, large: BenchProject): Promise<Section> {
  const { connections, seconds, rows } = bench.options;
  const plan = { connections, warm_up_s: 1, seconds };
  const silent = await silentGateway(bench);
  const reading = (name: string, requests: LoadRequest[], url = bench.flotilla.url): Contender => ({
    name,
    turn: () => runLoad({ ...plan, url, requests }),
  });
  const standings = await alternate(bench, [
    reading('a route that does nothing', [silentRequest(await bench.secret('admin'))], silent.url),
    reading(`${DEVICES} devices`, readsOf(project, 1)),
    reading(`${rows} devices`, readsOf(large, Math.floor(rows / DEVICES))),
  ]);
  await silent.stop();
  const of = (name: string): Standing => standingOf(standings, name);
  return {
    title: 'GET state',
    method: 'Closed loop, each request another device.',
    standings,
    bars: [
      rateAtLeast('GET state', 0.6, of(`${DEVICES} devices`), of('a route that does nothing')),
      rateWithin(`GET state, ${rows} devices`, 1.3, of(`${rows} devices`), of(`${DEVICES} devices`)),
    ],
  };
}

async function pastSection(bench: Bench, project: BenchProject, end: Date): Promise<Section> {
  const { seconds } = bench.options;
  const { url } = bench.flotilla;
  const asking = (device: string, changes: number): Contender => ({
    name: `${changes} changes`,
    turn: () =>
      runLoad({
        connections: 1,
        warm_up_s: 1,
        seconds,
        url,
        requests: timesOf(project, device, changes, end),
      }),
  });
  const standings = await alternate(bench, [asking('long', LONG_CHANGES), asking('short', SHORT_CHANGES)]);
  const of = (changes: number): Standing => standingOf(standings, `${changes} changes`);
  return {
    title: 'GET state?at=, one device',
    method: 'One connection, closed loop, times all over the device’s history.',
    standings,
    bars: [
      p50Within(`GET state?at=, device of ${LONG_CHANGES} changes`, 3, of(LONG_CHANGES), of(SHORT_CHANGES)),
    ],
  };
}

function repeatsOf(project: BenchProject): LoadRequest[] {
  const headers = jsonHeaders(project);
  return Array.from({ length: REPEATING }, (_, device) => ({
    method: 'PATCH',
    path: `/v1/devices/repeating-${device}/state`,
    headers,
    body: JSON.stringify({ data: { temperature: 50 + (device % 7), on: true } }),
  }));
}
