import { BEFORE_FEEDS, fillTables } from '../fill-tables.js';

/** The table that changes of prices are in. */
export const PRICE_CHANGES = 'pricing.changes';

/** A first price of each of the products `product-0` to `product-<products - 1>`, past the product. */
export function loadPrices(database_url: string, project_id: string, products: number): Promise<void> {
  return fillTables(database_url, ['pricing.prices', PRICE_CHANGES], async (client) => {
    await client.query(
      `INSERT INTO pricing.prices (project_id, product_id, price, sequence, timestamp)
       SELECT $1, 'product-' || number, 19.90, 1, now() - number * interval '10 ms'
       FROM generate_series(0, $2::int - 1) AS number`,
      [project_id, products],
    );
    await client.query(
      `INSERT INTO ${PRICE_CHANGES} (project_id, product_id, timestamp, sequence, id, new_price, transaction_id)
       SELECT project_id, product_id, timestamp, 1, uuidv7(), price, ${BEFORE_FEEDS}
       FROM pricing.prices WHERE project_id = $1`,
      [project_id],
    );
  });
}
