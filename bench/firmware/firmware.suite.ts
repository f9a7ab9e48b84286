import { atLeast, atMost, none, within } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { FRESH, runLoad, type LoadRequest } from '../load.js';
import { changingRequests, jsonHeaders } from '../requests.js';
import { alternate, standingOf, type Contender, type Standing } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing } from '../writers.js';
import { loadFleet } from './firmware-rows.js';

const REPORTERS = 640;
const SMALL_FLEET = 2_000;
const WRITES_MEANWHILE = 500;
const EVENTS = 'firmware.firmware_events';

/** Reports by devices, what a fleet runs, and the events of one device. */
export const firmware: Suite = {
  name: 'firmware',
  async run(bench) {
    const project = await bench.project('bench firmware');
    const large = await bench.project('bench large fleet');
    const small = await bench.project('bench small fleet');
    const keys = await registerReporters(bench, project);
    await loadFleet(bench.database_url, small.id, SMALL_FLEET);
    await loadFleet(bench.database_url, large.id, bench.options.rows);
    return [
      await writeSection(bench, project, keys),
      await adoptionSection(bench, large, keys),
      await readSection(bench, large, small),
    ];
  },
};

/** Only a device itself may report: as many keys. */
async function registerReporters(bench: Bench, project: BenchProject): Promise<string[]> {
  const keys: string[] = [];
  for (let device = 0; device < REPORTERS; device += 1) {
    const response = await fetch(`${bench.flotilla.url}/v1/devices`, {
      method: 'POST',
      headers: jsonHeaders(project),
      body: JSON.stringify({ id: `reporter-${device}` }),
    });
    if (response.status !== 201) throw new Error(`No device: ${await response.text()}`);
    keys.push(((await response.json()) as { key: string }).key);
  }
  return keys;
}

async function writeSection(bench: Bench, project: BenchProject, keys: string[]): Promise<Section> {
  const { connections, seconds, rounds } = bench.options;
  const { writer: monolith, pool_size } = await startMonolith(bench, {
    app: 'firmware',
    schema: 'firmware',
    script: 'bench/firmware/firmware-monolith.main.js',
    project,
    requests: reports(connections, () => project.key),
  });
  const flotilla = { name: 'flotilla', url: bench.flotilla.url, database_url: bench.database_url };
  const writers = [flotilla, monolith];
  const plan = { connections, warm_up_s: 2, seconds };
  const before = await countRows(writers, EVENTS);
  const standings = await alternate(
    [
      writing(flotilla, EVENTS, { ...plan, requests: reports(connections, (device) => keys[device]!) }),
      writing(monolith, EVENTS, { ...plan, requests: reports(connections, () => project.key) }),
    ],
    rounds,
  );
  const missing = await missingRows(writers, EVENTS, before, standings);
  await bench.stopContenders();
  const median = (name: string): number => standingOf(standings, name).rate.median;
  return {
    title: `POST firmware, by ${REPORTERS} devices`,
    method: `Closed loop. Every event differs from the one before. The monolith does SELECT FOR UPDATE, INSERT and UPDATE, and keeps no adoption, with ${pool_size} connections to Postgres.`,
    standings,
    bars: [
      atLeast('flotilla / monolith, POST firmware', 1.5, median('flotilla'), median('monolith')),
      none('acknowledged firmware event missing', missing),
    ],
  };
}

async function adoptionSection(bench: Bench, large: BenchProject, keys: string[]): Promise<Section> {
  const { seconds, rounds, rows } = bench.options;
  const url = bench.flotilla.url;
  const asking = (name: string, path: () => string): Contender => ({
    name,
    turn: async () => {
      const requests: LoadRequest[] = Array.from({ length: 50 }, () => ({
        method: 'GET',
        path: path(),
        headers: jsonHeaders(large),
      }));
      const plan = { warm_up_s: 1, seconds, url };
      const writes = reports(8, (device) => keys[device]!);
      const [asked] = await Promise.all([
        runLoad({ ...plan, connections: 4, requests }),
        runLoad({ ...plan, requests: writes, connections: 8, rate: WRITES_MEANWHILE }),
      ]);
      return asked;
    },
  });
  const then = (): string => new Date(Date.now() - Math.random() * 5 * 86_400_000).toISOString();
  const standings = await alternate(
    [
      asking('now', () => '/v1/firmware/adoption'),
      asking('at a time', () => `/v1/firmware/adoption?at=${then()}`),
    ],
    rounds,
  );
  const p99 = (name: string): number => standingOf(standings, name).p99_ms.median;
  return {
    title: 'GET firmware/adoption',
    method: `Four connections, closed loop, ${rows} devices with 5 events each, while ${WRITES_MEANWHILE} events/s are written.`,
    standings,
    bars: [within('adoption now, p99', 50, p99('now')), within('adoption then, p99', 50, p99('at a time'))],
  };
}

async function readSection(bench: Bench, large: BenchProject, small: BenchProject): Promise<Section> {
  const { connections, seconds, rounds, rows } = bench.options;
  const reading = (name: string, project: BenchProject, devices: number): Contender => {
    const requests = Array.from({ length: 2_000 }, (_, index): LoadRequest => ({
      method: 'GET',
      path: `/v1/devices/fleet-${Math.floor((index * devices) / 2_000)}/firmware`,
      headers: jsonHeaders(project),
    }));
    return {
      name,
      turn: () => runLoad({ connections, warm_up_s: 1, seconds, url: bench.flotilla.url, requests }),
    };
  };
  const standings: Standing[] = await alternate(
    [reading('small', small, SMALL_FLEET), reading('large', large, rows)],
    rounds,
  );
  const median = (name: string): number => standingOf(standings, name).rate.median;
  return {
    title: 'GET firmware of a device',
    method: `Closed loop; small is a project of ${SMALL_FLEET * 5} events, large one of ${rows * 5}.`,
    standings,
    bars: [atMost('GET firmware, small / large', 1.3, median('small'), median('large'))],
  };
}

function reports(connections: number, keyOf: (device: number) => string): LoadRequest[] {
  return changingRequests({ connections, subjects: REPORTERS - connections, values: 6 }, (device, value) => ({
    method: 'POST',
    path: `/v1/devices/reporter-${device}/firmware`,
    headers: jsonHeaders({ key: keyOf(device) }),
    body: JSON.stringify({
      firmware: `2.${FRESH}.${value >> 1}`,
      status: value % 2 === 0 ? 'downloading' : 'installed',
    }),
  }));
}
