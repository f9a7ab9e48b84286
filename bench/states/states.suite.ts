import { atLeast, atMost, none } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { registerDevices } from '../device-rows.js';
import { FRESH, runLoad, type LoadRequest } from '../load.js';
import { changingRequests, jsonHeaders, silentRequest } from '../requests.js';
import { alternate, standingOf, type Contender } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { silentGateway } from '../silent-gateway.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing } from '../writers.js';
import { loadHistory, loadStates } from './state-rows.js';

const DEVICES = 10_000;
/** Few enough for the warm-up to be the first report of each. */
const REPEATING = 2_000;
const HISTORY = 'device_state.history';
const LONG_CHANGES = 100_000;
const SHORT_CHANGES = 100;

/** Reports, states now and states then. */
export const states: Suite = {
  name: 'states',
  async run(bench) {
    const project = await bench.project('bench states');
    const large = await bench.project('bench many states');
    await registerDevices(bench.database_url, project.id, 'changing-', DEVICES);
    await registerDevices(bench.database_url, project.id, 'repeating-', REPEATING);
    await registerDevices(bench.database_url, large.id, 'changing-', bench.options.rows);
    await loadStates(bench.database_url, project.id, 'changing-', DEVICES);
    await loadStates(bench.database_url, large.id, 'changing-', bench.options.rows);
    await loadHistory(bench.database_url, project.id, 'long', LONG_CHANGES);
    await loadHistory(bench.database_url, project.id, 'short', SHORT_CHANGES);
    return [
      await writeSection(bench, project, large),
      await readSection(bench, project, large),
      await pastSection(bench, project),
    ];
  },
};

async function writeSection(bench: Bench, project: BenchProject, large: BenchProject): Promise<Section> {
  const { connections, seconds, rounds, rows } = bench.options;
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
  const writers = [flotilla, monolith];
  const before = await countRows(writers, HISTORY);
  const changes = await alternate(
    writers.map((writer) => writing(writer, HISTORY, { ...plan, requests: changing })),
    rounds,
  );
  const missing = await missingRows(writers, HISTORY, before, changes);
  const repeats = repeatsOf(project);
  const others = await alternate(
    [
      writing({ ...flotilla, name: 'flotilla, duplicates' }, HISTORY, {
        ...plan,
        requests: repeats,
      }),
      writing({ ...monolith, name: 'monolith, duplicates' }, HISTORY, {
        ...plan,
        requests: repeats,
      }),
      writing({ ...flotilla, name: `flotilla, ${rows} devices` }, HISTORY, {
        ...plan,
        requests: changesOf(large, connections, Math.floor(rows / DEVICES)),
      }),
    ],
    rounds,
  );
  await bench.stopContenders();
  const standings = [...changes, ...others];
  const median = (name: string): number => standingOf(standings, name).rate.median;
  return {
    title: `PATCH state, over ${DEVICES} devices`,
    method: `Closed loop. Every report changes its device but for the duplicates. The monolith does SELECT FOR UPDATE, UPDATE and INSERT, with ${pool_size} connections to Postgres.`,
    standings,
    bars: [
      atLeast('flotilla / monolith, PATCH state', 1.5, median('flotilla'), median('monolith')),
      atLeast('duplicates / changes', 1.3, median('flotilla, duplicates'), median('flotilla')),
      atMost(
        `PATCH state, ${DEVICES} / ${rows} devices`,
        1.3,
        median('flotilla'),
        median(`flotilla, ${rows} devices`),
      ),
      none('acknowledged change missing in its history', missing),
    ],
  };
}

async function readSection(bench: Bench, project: BenchProject, large: BenchProject): Promise<Section> {
  const { connections, seconds, rounds, rows } = bench.options;
  const plan = { connections, warm_up_s: 1, seconds };
  const silent = await silentGateway(bench);
  const reading = (name: string, requests: LoadRequest[], url = bench.flotilla.url): Contender => ({
    name,
    turn: () => runLoad({ ...plan, url, requests }),
  });
  const standings = await alternate(
    [
      reading('a route that does nothing', [silentRequest(await bench.secret('admin'))], silent.url),
      reading(`${DEVICES} devices`, readsOf(project, 1)),
      reading(`${rows} devices`, readsOf(large, Math.floor(rows / DEVICES))),
    ],
    rounds,
  );
  await silent.stop();
  const median = (name: string): number => standingOf(standings, name).rate.median;
  return {
    title: 'GET state',
    method: 'Closed loop, each request another device.',
    standings,
    bars: [
      atLeast('GET state / nothing', 0.6, median(`${DEVICES} devices`), median('a route that does nothing')),
      atMost(
        `GET state, ${DEVICES} / ${rows} devices`,
        1.3,
        median(`${DEVICES} devices`),
        median(`${rows} devices`),
      ),
    ],
  };
}

async function pastSection(bench: Bench, project: BenchProject): Promise<Section> {
  const { seconds, rounds } = bench.options;
  const asking = (name: string, device: string, changes: number): Contender => {
    const headers = jsonHeaders(project);
    const requests = Array.from({ length: 100 }, (_, index): LoadRequest => {
      const at = new Date(Date.now() - Math.ceil(changes * 100 * (index / 100))).toISOString();
      return { method: 'GET', path: `/v1/devices/${device}/state?at=${at}`, headers };
    });
    const url = bench.flotilla.url;
    return { name, turn: () => runLoad({ connections: 1, warm_up_s: 1, seconds, url, requests }) };
  };
  // Asked right away: the oldest time must still have a state when the last round comes.
  const standings = await alternate(
    [
      asking(`${LONG_CHANGES} changes`, 'long', LONG_CHANGES - 10),
      asking(`${SHORT_CHANGES} changes`, 'short', SHORT_CHANGES - 10),
    ],
    rounds,
  );
  const p50 = (name: string): number => standingOf(standings, name).p50_ms.median;
  return {
    title: 'GET state?at=, one device',
    method: 'One connection, closed loop, times all over the device’s history.',
    standings,
    bars: [
      atMost('long / short history, p50', 3, p50(`${LONG_CHANGES} changes`), p50(`${SHORT_CHANGES} changes`)),
    ],
  };
}

/** @param apart how far apart the devices are of which there are states */
function changesOf(project: BenchProject, connections: number, apart: number): LoadRequest[] {
  const headers = jsonHeaders(project);
  return changingRequests({ connections, subjects: DEVICES - connections, values: 2 }, (device, value) => ({
    method: 'PATCH',
    path: `/v1/devices/changing-${device * apart}/state`,
    headers,
    body: `{"data":{"temperature":${value},"at_ms":${FRESH}}}`,
  }));
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

function readsOf(project: BenchProject, apart: number): LoadRequest[] {
  const headers = jsonHeaders(project);
  return Array.from({ length: DEVICES }, (_, device) => ({
    method: 'GET',
    path: `/v1/devices/changing-${device * apart}/state`,
    headers,
  }));
}
