import { type Growing } from '../growth/growing.js';
import { addMember, askedByMany } from '../members.js';
import { priceReads, PRODUCTS, repricing } from './price-requests.js';
import { loadPrices, PRICE_CHANGES } from './price-rows.js';

/** As many products as rows, each priced once. */
export const priceGrowth: Growing = {
  service: 'prices',
  async grow(bench, rows) {
    const project = await bench.project(`growth, ${rows} prices`);
    await loadPrices(bench.database_url, project.id, rows);
    const viewer = await addMember(bench, project, 'viewer@example.com', 'viewer');
    const apart = Math.floor(rows / PRODUCTS);
    return [
      {
        name: 'POST /v1/prices',
        requests: repricing(project, bench.options.connections, apart),
        adds_to: PRICE_CHANGES,
      },
      { name: 'GET /v1/prices/{product_id}', requests: priceReads(project, apart) },
      {
        name: 'GET /v1/prices/changes, a page of 100',
        requests: await askedByMany(bench, project, viewer, '/v1/prices/changes'),
      },
    ];
  },
};
