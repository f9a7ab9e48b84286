import { type Growing } from '../growth/growing.js';
import { type LoadRequest } from '../load.js';
import { jsonHeaders } from '../requests.js';
import { loadEntries } from './entry-rows.js';

/** Rows are entries of all kinds together. */
export const timelineGrowth: Growing = {
  service: 'timeline',
  async grow(bench, rows) {
    const project = await bench.project(`growth, ${rows} entries`);
    await loadEntries(bench.database_url, project.id, 'member nobody', rows);
    const page = (path: string): LoadRequest[] => [{ method: 'GET', path, headers: jsonHeaders(project) }];
    return [
      { name: 'GET /v1/timeline, a page of 100', requests: page('/v1/timeline?limit=100') },
      {
        name: 'GET timeline of a device, a page of 100',
        requests: page('/v1/devices/pump%207/timeline?limit=100'),
      },
    ];
  },
};
