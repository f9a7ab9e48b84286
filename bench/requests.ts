import { type BenchProject } from './bench.js';
import { type LoadRequest } from './load.js';

/** Headers of a JSON request with a project's key. */
export function jsonHeaders({ key }: Pick<BenchProject, 'key'>): Record<string, string> {
  return { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
}

/** What a route that does nothing is asked. */
export function silentRequest(key: string): LoadRequest {
  return { method: 'GET', path: '/v1/bench/nothing', headers: { authorization: `Bearer ${key}` } };
}

/**
 * Requests in which each connection writes to subjects of its own, one after another, and then to them again with
 * the next of `values`: with `FRESH` in its body, every write differs from the one before it of its subject.
 */
export function changingRequests(
  { connections, subjects, values }: { connections: number; subjects: number; values: number },
  request: (subject: number, value: number) => LoadRequest,
): LoadRequest[] {
  const own = Math.ceil(subjects / connections);
  return Array.from({ length: own * values }, (_, step) =>
    Array.from({ length: connections }, (_, connection) =>
      request(connection * own + (step % own), Math.floor(step / own)),
    ),
  ).flat();
}
