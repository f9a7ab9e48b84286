import { none, p99AtMost, rateAtLeast, rateWithin } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { runLoad, type LoadRequest } from '../load.js';
import { jsonHeaders } from '../requests.js';
import { alternate, standingOf, type Contender } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing } from '../writers.js';
import { fleetReads, registerReporters, REPORTERS, reports, type Reporter } from './firmware-requests.js';
import { EVENTS_A_DEVICE, FIRMWARE_EVENTS, loadFleet } from './firmware-rows.js';

const SMALL_FLEET = 2_000;
const WRITES_MEANWHILE = 500;

/** Reports by devices, what a fleet runs, and the events of one device. */
export const firmware: Suite = {
  name: 'firmware',
  async *run(bench) {
    const project = await bench.project('bench firmware');
    const large = await bench.project('bench large fleet');
    const small = await bench.project('bench small fleet');
    const reporters = await bench.prepare(`${REPORTERS} devices with keys`, () =>
      registerReporters(bench, project, REPORTERS),
    );
    await bench.prepare(`fleets of ${SMALL_FLEET} and ${bench.options.rows} devices`, async () => {
      await loadFleet(bench.database_url, small.id, SMALL_FLEET);
      await loadFleet(bench.database_url, large.id, bench.options.rows);
    });
    yield await writeSection(bench, project, reporters);
    yield await adoptionSection(bench, large, reporters);
    yield await readSection(bench, large, small);
  },
};

async function writeSection(bench: Bench, project: BenchProject, reporters: Reporter[]): Promise<Section> {
  const { connections, seconds } = bench.options;
  const withoutKeys = reports(
    connections,
    reporters.map(({ id }) => ({ id, key: project.key })),
  );
  const { writer: monolith, pool_size } = await startMonolith(bench, {
    app: 'firmware',
    schema: 'firmware',
    script: 'bench/firmware/firmware-monolith.main.js',
    project,
    requests: withoutKeys,
  });
  const flotilla = { name: 'flotilla', url: bench.flotilla.url, database_url: bench.database_url };
  const writers = [flotilla, monolith];
  const plan = { connections, warm_up_s: 2, seconds };
  const before = await countRows(writers, FIRMWARE_EVENTS);
  const standings = await alternate(bench, [
    writing(flotilla, FIRMWARE_EVENTS, { ...plan, requests: reports(connections, reporters) }),
    writing(monolith, FIRMWARE_EVENTS, { ...plan, requests: withoutKeys }),
  ]);
  const missing = await missingRows(writers, FIRMWARE_EVENTS, before, standings);
  await bench.stopContenders();
  return {
    title: `POST firmware, by ${REPORTERS} devices`,
    method: `Closed loop. Every event differs from the one before. The monolith does SELECT FOR UPDATE, INSERT and UPDATE, and keeps no adoption, with ${pool_size} connections to Postgres.`,
    standings,
    bars: [
      rateAtLeast('POST firmware', 1.5, standingOf(standings, 'flotilla'), standingOf(standings, 'monolith')),
      none('POST firmware, acknowledged and missing', missing),
    ],
  };
}

async function adoptionSection(bench: Bench, large: BenchProject, reporters: Reporter[]): Promise<Section> {
  const { seconds, rows } = bench.options;
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
      const writes = reports(8, reporters);
      const [asked, written] = await Promise.all([
        runLoad({ ...plan, connections: 4, requests }),
        runLoad({ ...plan, requests: writes, connections: 8, rate: WRITES_MEANWHILE }),
      ]);
      const acknowledged = asked.acknowledged + written.acknowledged;
      return { ...asked, acknowledged, failed: asked.failed + written.failed };
    },
  });
  const then = (): string => new Date(Date.now() - Math.random() * 5 * 86_400_000).toISOString();
  const standings = await alternate(bench, [
    asking('now', () => '/v1/firmware/adoption'),
    asking('at a time', () => `/v1/firmware/adoption?at=${then()}`),
  ]);
  return {
    title: 'GET firmware/adoption',
    method: `Four connections, closed loop, ${rows} devices with ${EVENTS_A_DEVICE} events each, while ${WRITES_MEANWHILE} events/s are written.`,
    standings,
    bars: standings.map((standing) =>
      p99AtMost(`GET adoption ${standing.name}, ${rows} devices, while writes go on`, 50, standing),
    ),
  };
}

async function readSection(bench: Bench, large: BenchProject, small: BenchProject): Promise<Section> {
  const { connections, seconds, rows } = bench.options;
  const reading = (name: string, project: BenchProject, devices: number): Contender => {
    const requests = fleetReads(project, devices);
    return {
      name,
      turn: () => runLoad({ connections, warm_up_s: 1, seconds, url: bench.flotilla.url, requests }),
    };
  };
  const standings = await alternate(bench, [
    reading('small', small, SMALL_FLEET),
    reading('large', large, rows),
  ]);
  const [few, many] = [standingOf(standings, 'small'), standingOf(standings, 'large')];
  return {
    title: 'GET firmware of a device',
    method: `Closed loop; small is a project of ${SMALL_FLEET * EVENTS_A_DEVICE} events, large one of ${rows * EVENTS_A_DEVICE}.`,
    standings,
    bars: [rateWithin(`GET firmware of a device, ${rows * EVENTS_A_DEVICE} events`, 1.3, many, few)],
  };
}
