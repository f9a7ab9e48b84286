import { type Growing } from '../growth/growing.js';
import { type LoadRequest } from '../load.js';
import { addMember, askedByMany } from '../members.js';
import { loadEntries } from './entry-rows.js';

/** Rows are entries of all kinds together. */
export const timelineGrowth: Growing = {
  service: 'timeline',
  async grow(bench, rows) {
    const project = await bench.project(`growth, ${rows} entries`);
    await loadEntries(bench.database_url, project.id, 'member nobody', rows);
    const viewer = await addMember(bench, project, 'viewer@example.com', 'viewer');
    const page = (path: string): Promise<LoadRequest[]> => askedByMany(bench, project, viewer, path);
    return [
      { name: 'GET /v1/timeline, a page of 100', requests: await page('/v1/timeline?limit=100') },
      {
        name: 'GET timeline of a device, a page of 100',
        requests: await page('/v1/devices/pump%207/timeline?limit=100'),
      },
    ];
  },
};
