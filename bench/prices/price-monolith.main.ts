import { Body, Controller, HttpCode, Injectable, Post } from '@nestjs/common';
import { Failure, Reprice, type RepriceReceipt } from '#contracts';
import { Database } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { nextLink, type Link } from '../../apps/pricing/src/price-chain.js';
import { ENTITIES, SCHEMA } from '../../apps/pricing/src/pricing.entity.js';
import { Project } from '../baselines/key.guard.js';
import { serveMonolith } from '../baselines/monolith.js';

const LOCK = `SELECT price, previous_price, sequence::int, timestamp FROM pricing.prices
  WHERE project_id = $1 AND product_id = $2 FOR UPDATE`;

const SAVE = `INSERT INTO pricing.prices (project_id, product_id, previous_price, price, sequence, timestamp)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (project_id, product_id) DO UPDATE SET previous_price = EXCLUDED.previous_price,
    price = EXCLUDED.price, sequence = EXCLUDED.sequence, timestamp = EXCLUDED.timestamp`;

const ADD = `INSERT INTO pricing.changes
  (project_id, product_id, previous_price, new_price, sequence, timestamp, id, transaction_id)
  VALUES ($1, $2, $3, $4, $5, $6, $7, pg_current_xact_id()::text::bigint)`;

/** A price as one would write it: lock the row, update it, add the change; a transaction for each. */
@Injectable()
class RepriceTransaction {
  constructor(private readonly database: Database) {}

  reprice(project_id: string, { product_id, ...wish }: Reprice): Promise<RepriceReceipt> {
    return this.database.transaction(async (manager) => {
      const [last] = await manager.query<Link[]>(LOCK, [project_id, product_id]);
      const { result, link } = nextLink(last, wish, new Date().toISOString());
      if (result === 'unexpected') throw new Failure('conflict');
      if (result === 'applied') {
        const { previous_price, price, sequence, timestamp } = link;
        const change = [project_id, product_id, previous_price, price, sequence, timestamp];
        await manager.query(SAVE, change);
        await manager.query(ADD, [...change, uuidv7()]);
      }
      return { product_id, ...link, result };
    });
  }
}

@Controller('v1/prices')
class MonolithController {
  constructor(private readonly transaction: RepriceTransaction) {}

  @Post()
  @HttpCode(202)
  reprice(@Body() wish: Reprice, @Project() project_id: string): Promise<RepriceReceipt> {
    return this.transaction.reprice(project_id, wish);
  }
}

await serveMonolith(
  { schema: SCHEMA, entities: ENTITIES },
  { controllers: [MonolithController], providers: [RepriceTransaction] },
);
