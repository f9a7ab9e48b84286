import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { type Outcome } from '#contracts';
import { beyond, columnsOf, Database, takeTurns, whereAll, writeOnce, type Named } from '#database';
import { type Place } from './change-cursor.js';
import { type Link } from './price-chain.js';
import { SCHEMA } from './pricing.entity.js';

export interface ProductKey {
  project_id: string;
  product_id: string;
}

export type StoredPrice = Link & { product_id: string };

/** A new link of a product's chain, as it is kept. */
export interface NewChange extends ProductKey, Link {
  id: string;
}

export interface StoredChange {
  id: string;
  product_id: string;
  previous_price: string | null;
  new_price: string;
  timestamp: string;
  sequence: number;
}

export interface Conditions {
  project_id: string;
  product_id?: string;
  from?: Date;
  to?: Date;
}

const PRODUCT = ['project_id', 'product_id'] as const;

const READ = `
  SELECT product.project_id, product.product_id, price, previous_price, sequence, timestamp, clock_timestamp() AS now
  FROM unnest($1::uuid[], $2::text[]) AS product (project_id, product_id)
  LEFT JOIN pricing.prices USING (project_id, product_id)`;

const KEEP = `
  WITH change AS (
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::numeric[], $5::numeric[], $6::bigint[], $7::timestamptz[])
      AS change (project_id, product_id, id, previous_price, new_price, sequence, timestamp)
  ), latest AS (
    INSERT INTO pricing.prices (project_id, product_id, previous_price, price, sequence, timestamp)
    SELECT DISTINCT ON (project_id, product_id)
      project_id, product_id, previous_price, new_price, sequence, timestamp
    FROM change ORDER BY project_id, product_id, sequence DESC
    ON CONFLICT (project_id, product_id) DO UPDATE SET
      previous_price = EXCLUDED.previous_price, price = EXCLUDED.price, sequence = EXCLUDED.sequence,
      timestamp = EXCLUDED.timestamp
  )
  INSERT INTO pricing.changes
    (project_id, product_id, id, previous_price, new_price, sequence, timestamp)
  SELECT * FROM change`;

const FIND = `
  SELECT project_id, product_id, price, previous_price, sequence, timestamp
  FROM pricing.prices
  JOIN unnest($1::uuid[], $2::text[]) AS wanted (project_id, product_id) USING (project_id, product_id)`;

const FIND_AT = `
  SELECT product_id, new_price AS price, previous_price, sequence, timestamp
  FROM pricing.changes WHERE project_id = $1 AND product_id = $2 AND timestamp <= $3
  ORDER BY timestamp DESC, sequence DESC LIMIT 1`;

type PriceRow = Omit<StoredPrice, 'sequence'> & { sequence: string };
type HeldRow = PriceRow | { [Name in keyof PriceRow]: null };
type ChangeRow = Omit<StoredChange, 'sequence'> & { sequence: string };

/** Products that nobody else reprices while a transaction holds them. */
export class HeldProducts {
  constructor(
    private readonly manager: EntityManager,
    /** By `nameOf`, the last link of each chain. */
    readonly links: ReadonlyMap<string, Link>,
    /** The database's time when the turn had come: one clock for all replicas. */
    readonly now: string,
  ) {}

  async keep(changes: NewChange[]): Promise<void> {
    if (changes.length === 0) return;
    const columns = [...PRODUCT, 'id', 'previous_price', 'price', 'sequence', 'timestamp'] as const;
    await this.manager.query(KEEP, columnsOf(changes, columns));
  }
}

@Injectable()
export class PricingRepository {
  constructor(private readonly database: Database) {}

  /** `work` in one transaction, when it is the turn of these products; turns are taken in one order everywhere. */
  hold<Wish extends Named & { product: ProductKey }, T>(
    wishes: Wish[],
    work: (fresh: Wish[], held: HeldProducts) => Promise<Outcome<T>[]>,
  ): Promise<Outcome<T>[]> {
    return writeOnce(this.database, SCHEMA, wishes, async (fresh, manager) => {
      const distinct = [...new Map(fresh.map(({ product }) => [nameOf(product), product])).values()];
      await takeTurns(
        manager,
        distinct.map((product) => `pricing ${nameOf(product)}`),
      );
      const rows = await manager.query<(HeldRow & ProductKey & { now: string })[]>(
        READ,
        columnsOf(distinct, PRODUCT),
      );
      const links = new Map(rows.flatMap((row) => (isPriced(row) ? [[nameOf(row), stored(row)]] : [])));
      return work(fresh, new HeldProducts(manager, links, rows[0]!.now));
    });
  }

  /** By `nameOf`, the prices of those of the products that have one. */
  async find(products: ProductKey[]): Promise<ReadonlyMap<string, StoredPrice>> {
    const values = columnsOf(products, PRODUCT);
    const rows = await this.database.prepared<PriceRow & ProductKey>('get-prices', FIND, values);
    return new Map(rows.map((row) => [nameOf(row), stored(row)]));
  }

  async findAt({ project_id, product_id }: ProductKey, at: Date): Promise<StoredPrice | undefined> {
    const values = [project_id, product_id, at];
    const [row] = await this.database.prepared<PriceRow>('get-price-at', FIND_AT, values);
    return row && stored(row);
  }

  /** At most `limit` changes by (timestamp, product, sequence) from `after` on: the order of each chain. */
  async changes(
    conditions: Conditions,
    order: 'asc' | 'desc',
    limit: number,
    after?: Place,
  ): Promise<StoredChange[]> {
    const { project_id, product_id, from, to } = conditions;
    const sort: (keyof Place)[] =
      product_id === undefined ? ['timestamp', 'product_id', 'sequence'] : ['timestamp', 'sequence'];
    const { where, values, name } = whereAll([
      ['project_id = ?', project_id],
      ['product_id = ?', product_id],
      ['timestamp >= ?', from],
      ['timestamp < ?', to],
      beyond(sort, order, after && sort.map((column) => after[column])),
    ]);
    const sql = `SELECT id, product_id, previous_price, new_price, timestamp, sequence FROM pricing.changes
      WHERE ${where} ORDER BY ${sort.map((column) => `${column} ${order}`).join(', ')} LIMIT $${values.push(limit)}`;
    const rows = await this.database.prepared<ChangeRow>(`changes-${name}-${order}`, sql, values);
    return rows.map((row) => ({ ...row, sequence: Number(row.sequence) }));
  }
}

export function nameOf({ project_id, product_id }: ProductKey): string {
  return `${project_id} ${product_id}`;
}

function stored({ product_id, price, previous_price, sequence, timestamp }: PriceRow): StoredPrice {
  return { product_id, price, previous_price, sequence: Number(sequence), timestamp };
}

/** A product without a price has a turn too, but no row. */
function isPriced<Row extends HeldRow>(row: Row): row is Row & PriceRow {
  return row.price !== null;
}
