import { AsyncLocalStorage } from 'node:async_hooks';
import { traceIdOf } from './traceparent.js';

/** What a request is known by, in every process that works for it. */
export interface KnownRequest {
  request_id: string;
  traceparent?: string;
}

const served = new AsyncLocalStorage<readonly KnownRequest[]>();

/** Runs work for these requests: whatever it logs, however deep, bears their ids. */
export function serving<T>(requests: readonly KnownRequest[], work: () => T): T {
  return served.run(requests, work);
}

/** What a line of the log says of a request. */
export function idsOf({ request_id, traceparent }: KnownRequest): Record<string, string> {
  return { request_id, ...(traceparent !== undefined && { trace_id: traceIdOf(traceparent) }) };
}

/** The ids of the requests under way, for each line of the log; of several, their request ids. */
export function idsOfServed(): Record<string, string | string[]> {
  const requests = served.getStore() ?? [];
  if (requests.length === 1) return idsOf(requests[0]!);
  return requests.length === 0 ? {} : { request_ids: requests.map(({ request_id }) => request_id) };
}
