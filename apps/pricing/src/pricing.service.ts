import { Injectable } from '@nestjs/common';
import {
  DEFAULT_LIMIT,
  Failure,
  parseMoment,
  Reply,
  sliceOf,
  type Call,
  type EntrySearch,
  type EntrySlice,
  type Outcome,
  type PriceChangePage,
  type PriceChangeQuery,
  type PriceQuestion,
  type ProductPrice,
  type Reprice,
  type RepriceReceipt,
} from '#contracts';
import { keyOf, listReply, pageOf, type Named } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { amongSimultaneous, placeOf, positionOf } from './change-cursor.js';
import { priceEntryJson } from './price-entry.js';
import { nextLink, type Verdict } from './price-chain.js';
import {
  nameOf,
  PricingRepository,
  type HeldProducts,
  type NewChange,
  type ProductKey,
  type StoredChange,
} from './pricing.repository.js';

interface Wish extends Named {
  call: Call<Reprice>;
  product: ProductKey;
}

@Injectable()
export class PricingService {
  constructor(private readonly repository: PricingRepository) {}

  /** All calls of a frame as if they had come one after another, in one transaction. */
  reprice(calls: Call<Reprice>[]): Promise<Outcome<RepriceReceipt>[]> {
    const wishes = calls.map((call) => ({ call, product: productOf(call), names: keyOf(call) }));
    return this.repository.hold(wishes, async (fresh, held) => {
      const { outcomes, changes } = inTurn(fresh, held);
      await held.keep(changes);
      return outcomes;
    });
  }

  /** Prices of now in one question to the database, those of the past each in its own. */
  async get(calls: Call<PriceQuestion>[]): Promise<Outcome<ProductPrice>[]> {
    const isNow = ({ request }: Call<PriceQuestion>): boolean => request.at === undefined;
    const now = await this.repository.find(calls.filter(isNow).map(productOf));
    return Promise.all(
      calls.map(async (call) => {
        const product = productOf(call);
        const { at } = call.request;
        const price =
          at === undefined
            ? now.get(nameOf(product))
            : await this.repository.findAt(product, parseMoment(at)!);
        return price ? Reply.of(price, { version: String(price.sequence) }) : new Failure('not_found');
      }),
    );
  }

  async changes({ caller, request }: Call<PriceChangeQuery>): Promise<Reply<PriceChangePage>> {
    const { product_id, from, to, order = 'asc', limit = DEFAULT_LIMIT, cursor } = request;
    const conditions = {
      project_id: caller.project_id,
      product_id,
      from: parseMoment(from),
      to: parseMoment(to),
    };
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const found = await this.repository.changes(conditions, order, limit + 1, after);
    return listReply('changes', await pageOf([found], limit, changeJson, positionOf));
  }

  async entries({ caller, request }: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    const { device_id, from, to, order, limit, cursor } = request;
    const conditions = {
      project_id: caller.project_id,
      from: parseMoment(from),
      to: parseMoment(to),
    };
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const isAboutDevice = device_id !== undefined;
    const found = isAboutDevice ? [] : await this.repository.changes(conditions, order, limit + 1, after);
    return sliceOf([found], limit, priceEntryJson, amongSimultaneous);
  }
}

function changeJson({ id: _, ...change }: StoredChange): string {
  return JSON.stringify(change);
}

/** What becomes of each wish, in the order in which they came, and the links that they add to the chains. */
function inTurn(
  wishes: Wish[],
  held: HeldProducts,
): { outcomes: Outcome<RepriceReceipt>[]; changes: NewChange[] } {
  const links = new Map(held.links);
  const changes: NewChange[] = [];
  const outcomes = wishes.map(({ call, product }) => {
    const verdict = nextLink(links.get(nameOf(product)), call.request, held.now);
    if (verdict.result === 'applied') {
      links.set(nameOf(product), verdict.link);
      changes.push({ ...product, ...verdict.link, id: uuidv7() });
    }
    return outcomeOf(product, verdict);
  });
  return { outcomes, changes };
}

function outcomeOf({ product_id }: ProductKey, { result, link }: Verdict): Outcome<RepriceReceipt> {
  if (result !== 'unexpected') {
    const { price, previous_price, timestamp, sequence } = link;
    return Reply.of({ product_id, previous_price, price, timestamp, sequence, result });
  }
  const current_price = link?.price ?? null;
  const detail = link ? `The price is ${link.price}` : 'The product has no price yet';
  return new Failure('conflict', detail, { members: { product_id, current_price } });
}

function productOf({ caller, request }: Call<{ product_id: string }>): ProductKey {
  return { project_id: caller.project_id, product_id: request.product_id };
}
