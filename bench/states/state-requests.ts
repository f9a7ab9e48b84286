import { type BenchProject } from '../bench.js';
import { FRESH, type LoadRequest } from '../load.js';
import { changingRequests, jsonHeaders } from '../requests.js';

/** So many are reported of and read, spread over all that there are. */
export const DEVICES = 10_000;

/** @param apart how far apart the devices are of which there are states */
export function changesOf(project: BenchProject, connections: number, apart: number): LoadRequest[] {
  const headers = jsonHeaders(project);
  return changingRequests({ connections, subjects: DEVICES - connections, values: 2 }, (device, value) => ({
    method: 'PATCH',
    path: `/v1/devices/changing-${device * apart}/state`,
    headers,
    body: `{"data":{"temperature":${value},"at_ms":${FRESH}}}`,
  }));
}

export function readsOf(project: BenchProject, apart: number): LoadRequest[] {
  const headers = jsonHeaders(project);
  return Array.from({ length: DEVICES }, (_, device) => ({
    method: 'GET',
    path: `/v1/devices/changing-${device * apart}/state`,
    headers,
  }));
}

/** The state of a device at a hundred times all over its history, see `loadHistory`. */
export function timesOf(project: BenchProject, device: string, changes: number, end: Date): LoadRequest[] {
  const headers = jsonHeaders(project);
  return Array.from({ length: 100 }, (_, index): LoadRequest => {
    const at = new Date(end.getTime() - changes * index - 1).toISOString();
    return { method: 'GET', path: `/v1/devices/${device}/state?at=${at}`, headers };
  });
}
