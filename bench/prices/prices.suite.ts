import { atLeast, none } from '../bars.js';
import { withClient, type Bench, type BenchProject } from '../bench.js';
import { FRESH, runLoad, type LoadRequest } from '../load.js';
import { changingRequests, jsonHeaders, silentRequest } from '../requests.js';
import { alternate, standingOf } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { silentGateway } from '../silent-gateway.js';
import { startMonolith } from '../tuned-monolith.js';
import { countRows, missingRows, writing, type Writer } from '../writers.js';

const PRODUCTS = 10_000;
const CHANGES = 'pricing.changes';

/** Changes of many prices, of one price, and what something costs. */
export const prices: Suite = {
  name: 'prices',
  async run(bench) {
    const project = await bench.project('bench prices');
    const { connections } = bench.options;
    const { writer: monolith, pool_size } = await startMonolith(bench, {
      app: 'pricing',
      schema: 'pricing',
      script: 'bench/prices/price-monolith.main.js',
      project,
      requests: repricing(project, connections),
    });
    const writers = [
      { name: 'flotilla', url: bench.flotilla.url, database_url: bench.database_url },
      monolith,
    ];
    const sections = [
      await writeSection(bench, writers, pool_size, {
        what: `${PRODUCTS} products`,
        factor: 1.5,
        requests: repricing(project, connections),
      }),
      await writeSection(bench, writers, pool_size, {
        what: 'one product',
        factor: 3,
        requests: repricingOne(project),
      }),
    ];
    await bench.stopContenders();
    const priced = await bench.project('bench priced');
    await loadPrices(bench.database_url, priced.id);
    return [...sections, await readSection(bench, priced)];
  },
};

async function writeSection(
  bench: Bench,
  writers: Writer[],
  pool_size: number,
  { what, factor, requests }: { what: string; factor: number; requests: LoadRequest[] },
): Promise<Section> {
  const { connections, seconds, rounds } = bench.options;
  const plan = { connections, warm_up_s: 2, seconds, requests };
  const before = await countRows(writers, CHANGES);
  const standings = await alternate(
    writers.map((writer) => writing(writer, CHANGES, plan)),
    rounds,
  );
  const missing = await missingRows(writers, CHANGES, before, standings);
  const median = (name: string): number => standingOf(standings, name).rate.median;
  return {
    title: `POST /v1/prices, ${what}`,
    method: `Closed loop, every price another one. The monolith locks the row of each request’s product, with ${pool_size} connections to Postgres; the product’s limit of requests in flight is raised.`,
    standings,
    bars: [
      atLeast(`flotilla / monolith, ${what}`, factor, median('flotilla'), median('monolith')),
      none(`acknowledged change missing, ${what}`, missing),
    ],
  };
}

async function readSection(bench: Bench, project: BenchProject): Promise<Section> {
  const { connections, seconds, rounds } = bench.options;
  const plan = { connections, warm_up_s: 1, seconds };
  const silent = await silentGateway(bench);
  const nothing = [silentRequest(await bench.secret('admin'))];
  const requests = Array.from({ length: PRODUCTS }, (_, product): LoadRequest => ({
    method: 'GET',
    path: `/v1/prices/product-${product}`,
    headers: jsonHeaders(project),
  }));
  const standings = await alternate(
    [
      {
        name: 'a route that does nothing',
        turn: () => runLoad({ ...plan, url: silent.url, requests: nothing }),
      },
      { name: 'GET price', turn: () => runLoad({ ...plan, url: bench.flotilla.url, requests }) },
    ],
    rounds,
  );
  await silent.stop();
  const median = (name: string): number => standingOf(standings, name).rate.median;
  return {
    title: 'GET price',
    method: `Closed loop, over ${PRODUCTS} products.`,
    standings,
    bars: [atLeast('GET price / nothing', 0.6, median('GET price'), median('a route that does nothing'))],
  };
}

/** A first price of each product, past the product. */
function loadPrices(database_url: string, project_id: string): Promise<void> {
  return withClient(database_url, async (client) => {
    await client.query(
      `WITH priced AS (
         INSERT INTO pricing.prices (project_id, product_id, price, sequence, timestamp)
         SELECT $1, 'product-' || number, 19.90, 1, now() FROM generate_series(0, $2::int - 1) AS number RETURNING *
       )
       INSERT INTO pricing.changes (project_id, product_id, timestamp, sequence, id, new_price, transaction_id)
       SELECT project_id, product_id, timestamp, 1, uuidv7(), price, pg_current_xact_id()::text::bigint FROM priced`,
      [project_id, PRODUCTS],
    );
    await client.query('VACUUM (ANALYZE) pricing.prices, pricing.changes');
  });
}

function repricing(project: BenchProject, connections: number): LoadRequest[] {
  const headers = jsonHeaders(project);
  return changingRequests({ connections, subjects: PRODUCTS - connections, values: 2 }, (product, value) => ({
    method: 'POST',
    path: '/v1/prices',
    headers,
    body: JSON.stringify({ product_id: `product-${product}`, price: `${FRESH}.${value + 1}` }),
  }));
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
