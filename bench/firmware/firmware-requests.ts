import { type Bench, type BenchProject } from '../bench.js';
import { create } from '../create.js';
import { FRESH, type LoadRequest } from '../load.js';
import { changingRequests, jsonHeaders } from '../requests.js';

export const REPORTERS = 640;
const READ = 2_000;

/** A device that may report, and the key that it does so with. */
export interface Reporter {
  id: string;
  key: string;
}

/** Only a device itself may report: devices of a fleet, spread over all of it, each with a key of its own. */
export async function registerReporters(
  bench: Bench,
  project: BenchProject,
  devices: number,
): Promise<Reporter[]> {
  const reporters: Reporter[] = [];
  for (let number = 0; number < REPORTERS; number += 1) {
    const device = { id: `fleet-${Math.floor((number * devices) / REPORTERS)}` };
    reporters.push(await create<Reporter>(bench.flotilla.url, project.key, '/v1/devices', device));
  }
  return reporters;
}

/** Changes of what the reporters run. */
export function reports(connections: number, reporters: Reporter[]): LoadRequest[] {
  const subjects = reporters.length - connections;
  return changingRequests({ connections, subjects, values: 6 }, (number, value) => {
    const { id, key } = reporters[number]!;
    return {
      method: 'POST',
      path: `/v1/devices/${id}/firmware`,
      headers: jsonHeaders({ key }),
      body: JSON.stringify({
        firmware: `2.${FRESH}.${value >> 1}`,
        status: value % 2 === 0 ? 'downloading' : 'installed',
      }),
    };
  });
}

/** The events of each of 2,000 devices of a fleet, spread over all of it. */
export function fleetReads(project: BenchProject, devices: number): LoadRequest[] {
  return Array.from({ length: READ }, (_, index) => ({
    method: 'GET',
    path: `/v1/devices/fleet-${Math.floor((index * devices) / READ)}/firmware`,
    headers: jsonHeaders(project),
  }));
}
