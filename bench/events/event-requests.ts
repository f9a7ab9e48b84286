import { type BenchProject } from '../bench.js';
import { dayOfEvents } from '../event-generator.js';
import { type LoadRequest } from '../load.js';
import { jsonHeaders } from '../requests.js';
import { today } from './event-rows.js';

const BODIES = 4_096;

/** Events of a day, as clients send them while it happens: without ids and times of their own. */
export function eventRequests(project: Pick<BenchProject, 'key'>, path = '/v1/events'): LoadRequest[] {
  const headers = jsonHeaders(project);
  return [...dayOfEvents({ seed: 2, day: today(), count: BODIES })].map(
    ({ id: _, occurred_at: __, ...event }): LoadRequest => ({
      method: 'POST',
      path,
      headers,
      body: JSON.stringify(event),
    }),
  );
}

/** A page of 100. */
export function pageRequest(query: Record<string, string>, project: BenchProject): LoadRequest {
  const path = `/v1/events?${new URLSearchParams({ limit: '100', ...query }).toString()}`;
  return { method: 'GET', path, headers: jsonHeaders(project) };
}
