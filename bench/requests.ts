import { type BenchProject } from './bench.js';
import { type LoadPlan, type LoadRequest } from './load.js';

/** Headers of a JSON request with a project's key. */
export function jsonHeaders({ key }: Pick<BenchProject, 'key'>): Record<string, string> {
  return { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
}

/** What a route that does nothing is asked. */
export function silentRequest(key: string): LoadRequest {
  return { method: 'GET', path: '/bench/nothing', headers: { authorization: `Bearer ${key}` } };
}

/**
 * Requests in which each connection writes to subjects of its own, one after another, and then to them again with
 * the next of `values`: every write differs from the one before it of its subject, however often the lists are sent
 * in turn.
 */
export function changingRequests(
  { connections, subjects, values }: { connections: number; subjects: number; values: number },
  request: (subject: number, value: number) => LoadRequest,
): Pick<LoadPlan, 'requests' | 'warm_up_requests'> {
  const own = Math.ceil(subjects / connections);
  const list = (first: number): LoadRequest[] =>
    Array.from({ length: own * values }, (_, step) =>
      Array.from({ length: connections }, (_, connection) =>
        request(connection * own + (step % own), first + Math.floor(step / own)),
      ),
    ).flat();
  return { requests: list(0), warm_up_requests: list(values) };
}
