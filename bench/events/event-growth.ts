import { withClient } from '../bench.js';
import { BEFORE_FEEDS } from '../fill-tables.js';
import { type Growing } from '../growth/growing.js';
import { type LoadRequest } from '../load.js';
import { addMember, askedByMany } from '../members.js';
import { jsonHeaders } from '../requests.js';
import { eventRequests } from './event-requests.js';
import { EVENTS, loadEvents, today } from './event-rows.js';

const READ = 2_000;

export const eventGrowth: Growing = {
  service: 'events',
  async grow(bench, rows) {
    const project = await bench.project(`growth, ${rows} events`);
    await loadEvents(bench.database_url, project.id, { seed: 3, day: today(), count: rows });
    const ids = await someEvents(bench.database_url, project.id);
    const headers = jsonHeaders(project);
    const viewer = await addMember(bench, project, 'viewer@example.com', 'viewer');
    const filters = '?component=telemetry&environment=production';
    return [
      { name: 'POST /v1/events', requests: eventRequests(project), adds_to: EVENTS },
      {
        name: 'GET /v1/events, a page of 100 with two filters',
        requests: await askedByMany(bench, project, viewer, `/v1/events${filters}`),
      },
      {
        name: 'GET /v1/events/{id}',
        requests: ids.map((id): LoadRequest => ({ method: 'GET', path: `/v1/events/${id}`, headers })),
      },
    ];
  },
};

/** Of those that were put there: an event of the audit would be deleted with what a turn has written. */
async function someEvents(database_url: string, project_id: string): Promise<string[]> {
  const { rows } = await withClient(database_url, (client) =>
    client.query<{ id: string }>(
      `SELECT id FROM ${EVENTS} WHERE project_id = $1 AND transaction_id <= ${BEFORE_FEEDS}
       ORDER BY random() LIMIT ${READ}`,
      [project_id],
    ),
  );
  return rows.map(({ id }) => id);
}
