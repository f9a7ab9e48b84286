import { none, rateAtLeast } from '../bars.js';
import { type Bench, type BenchProject } from '../bench.js';
import { FRESH, runLoad, type LoadRequest } from '../load.js';
import { jsonHeaders, silentRequest } from '../requests.js';
import { alternate, standingOf } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { silentGateway } from '../silent-gateway.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing, type Writer } from '../writers.js';
import { priceReads, PRODUCTS, repricing } from './price-requests.js';
import { loadPrices, PRICE_CHANGES } from './price-rows.js';

/** Changes of many prices, of one price, and what something costs. */
export const prices: Suite = {
  name: 'prices',
  async *run(bench) {
    const project = await bench.project('bench prices');
    const { connections } = bench.options;
    const { writer: monolith, pool_size } = await startMonolith(bench, {
      app: 'pricing',
      schema: 'pricing',
      script: 'bench/prices/price-monolith.main.js',
      project,
      requests: repricing(project, connections, 1),
    });
    const writers = [
      { name: 'flotilla', url: bench.flotilla.url, database_url: bench.database_url },
      monolith,
    ];
    yield await writeSection(bench, writers, pool_size, {
      what: `${PRODUCTS} products`,
      factor: 1.5,
      requests: repricing(project, connections, 1),
    });
    yield await writeSection(bench, writers, pool_size, {
      what: 'one product',
      factor: 3,
      requests: repricingOne(project),
    });
    await bench.stopContenders();
    const priced = await bench.project('bench priced');
    await bench.prepare(`${PRODUCTS} prices`, () => loadPrices(bench.database_url, priced.id, PRODUCTS));
    yield await readSection(bench, priced);
  },
};

async function writeSection(
  bench: Bench,
  writers: Writer[],
  pool_size: number,
  { what, factor, requests }: { what: string; factor: number; requests: LoadRequest[] },
): Promise<Section> {
  const { connections, seconds } = bench.options;
  const plan = { connections, warm_up_s: 2, seconds, requests };
  const before = await countRows(writers, PRICE_CHANGES);
  const standings = await alternate(
    bench,
    writers.map((writer) => writing(writer, PRICE_CHANGES, plan)),
  );
  const missing = await missingRows(writers, PRICE_CHANGES, before, standings);
  return {
    title: `POST /v1/prices, ${what}`,
    method: `Closed loop, every price another one. The monolith locks the row of each request’s product, with ${pool_size} connections to Postgres; the product’s limit of requests in flight is raised.`,
    standings,
    bars: [
      rateAtLeast(
        `POST /v1/prices, ${what}`,
        factor,
        standingOf(standings, 'flotilla'),
        standingOf(standings, 'monolith'),
      ),
      none(`POST /v1/prices, ${what}, acknowledged and missing`, missing),
    ],
  };
}

async function readSection(bench: Bench, project: BenchProject): Promise<Section> {
  const { connections, seconds } = bench.options;
  const plan = { connections, warm_up_s: 1, seconds };
  const silent = await silentGateway(bench);
  const nothing = [silentRequest(await bench.secret('admin'))];
  const requests = priceReads(project, 1);
  const standings = await alternate(bench, [
    {
      name: 'a route that does nothing',
      turn: () => runLoad({ ...plan, url: silent.url, requests: nothing }),
    },
    { name: 'GET price', turn: () => runLoad({ ...plan, url: bench.flotilla.url, requests }) },
  ]);
  await silent.stop();
  return {
    title: 'GET price',
    method: `Closed loop, over ${PRODUCTS} products.`,
    standings,
    bars: [
      rateAtLeast(
        'GET price',
        0.6,
        standingOf(standings, 'GET price'),
        standingOf(standings, 'a route that does nothing'),
      ),
    ],
  };
}

/** Each connection begins at a place of its own: no two requests that follow each other say the same price. */
function repricingOne(project: BenchProject): LoadRequest[] {
  const headers = jsonHeaders(project);
  return Array.from({ length: 4_096 }, (_, index) => ({
    method: 'POST',
    path: '/v1/prices',
    headers,
    body: JSON.stringify({ product_id: 'the one', price: `${FRESH}.${1_000 + index}` }),
  }));
}
