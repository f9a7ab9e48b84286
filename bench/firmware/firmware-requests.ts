import { type Bench, type BenchProject } from '../bench.js';
import { create } from '../create.js';
import { FRESH, type LoadRequest } from '../load.js';
import { changingRequests, jsonHeaders } from '../requests.js';

export const REPORTERS = 640;
const READ = 2_000;

/** Only a device itself may report: as many keys. */
export async function registerReporters(bench: Bench, project: BenchProject): Promise<string[]> {
  const keys: string[] = [];
  for (let device = 0; device < REPORTERS; device += 1) {
    const { key } = await create<{ key: string }>(bench.flotilla.url, project.key, '/v1/devices', {
      id: `reporter-${device}`,
    });
    keys.push(key);
  }
  return keys;
}

/** Changes of what the reporters run; each is to be sent with a key of its own. */
export function reports(connections: number, keyOf: (device: number) => string): LoadRequest[] {
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

/** The events of each of 2,000 devices of a fleet, spread over all of it. */
export function fleetReads(project: BenchProject, devices: number): LoadRequest[] {
  return Array.from({ length: READ }, (_, index) => ({
    method: 'GET',
    path: `/v1/devices/fleet-${Math.floor((index * devices) / READ)}/firmware`,
    headers: jsonHeaders(project),
  }));
}
