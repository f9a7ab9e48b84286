import { Injectable } from '@nestjs/common';
import {
  Failure,
  parseMoment,
  Reply,
  sliceOf,
  type Call,
  type EntrySearch,
  type EntrySlice,
  type PriceChangePage,
  type PriceChangeQuery,
  type PriceQuestion,
  type ProductPrice,
  type Reprice,
  type RepriceReceipt,
} from '#contracts';
import { type Claim, type Claimed } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { amongSimultaneous, cursorAt, placeOf } from './change-cursor.js';
import { priceEntryJson } from './price-entry.js';
import { nextLink, type Verdict } from './price-chain.js';
import {
  nameOf,
  PricingRepository,
  type HeldProducts,
  type NewChange,
  type ProductKey,
} from './pricing.repository.js';

const DEFAULT_LIMIT = 100;

type Outcome = Reply<RepriceReceipt> | Failure;

@Injectable()
export class PricingService {
  constructor(private readonly repository: PricingRepository) {}

  /** All calls of a frame as if they had come one after another, in one transaction. */
  reprice(calls: Call<Reprice>[]): Promise<Outcome[]> {
    const claims = calls.map(claimOf);
    return this.repository.hold(calls.map(productOf), async (held) => {
      const claimed = await held.claim(claims.filter((claim) => claim !== undefined));
      const isNew: Claimed = { first: true };
      const wishes = calls.map((call, index) => {
        const claim = claims[index];
        return { call, claim, claimed: claim ? claimed.shift()! : isNew };
      });
      const { outcomes, changes } = inTurn(wishes, held);
      await held.keep(changes);
      await held.settle(...answersOf(wishes, outcomes));
      return outcomes;
    });
  }

  async get({ caller: { project_id }, request }: Call<PriceQuestion>): Promise<Reply<ProductPrice>> {
    const { product_id, at } = request;
    const product = { project_id, product_id };
    const price =
      at === undefined
        ? await this.repository.find(product)
        : await this.repository.findAt(product, parseMoment(at)!);
    if (!price) throw new Failure('not_found');
    return Reply.of(price, { version: String(price.sequence) });
  }

  async changes({ caller, request }: Call<PriceChangeQuery>): Promise<Reply<PriceChangePage>> {
    const { product_id, from, to, order = 'asc', limit = DEFAULT_LIMIT, cursor } = request;
    const conditions = {
      project_id: caller.project_id,
      product_id,
      from: from === undefined ? undefined : parseMoment(from),
      to: to === undefined ? undefined : parseMoment(to),
    };
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const found = await this.repository.changes(conditions, order, limit + 1, after);
    const changes = found.slice(0, limit).map(({ id: _, ...change }) => change);
    const next_cursor = found.length > limit ? cursorAt(changes.at(-1)!) : undefined;
    return Reply.of({ changes, next_cursor: next_cursor ?? null }, { next_cursor });
  }

  async entries({ caller, request }: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    const { device_id, from, to, order, limit, cursor } = request;
    const conditions = {
      project_id: caller.project_id,
      from: from === undefined ? undefined : parseMoment(from),
      to: to === undefined ? undefined : parseMoment(to),
    };
    const after = cursor === undefined ? undefined : placeOf(cursor);
    const isAboutDevice = device_id !== undefined;
    const found = isAboutDevice ? [] : await this.repository.changes(conditions, order, limit + 1, after);
    return sliceOf(found, limit, priceEntryJson, amongSimultaneous);
  }
}

interface Wish {
  call: Call<Reprice>;
  claim: Claim | undefined;
  claimed: Claimed;
}

/** What becomes of each wish, in the order in which they came, and the links that they add to the chains. */
function inTurn(wishes: Wish[], held: HeldProducts): { outcomes: Outcome[]; changes: NewChange[] } {
  const links = new Map(held.links);
  const changes: NewChange[] = [];
  const first = new Map<string, Outcome>();
  const outcomes = wishes.map(({ call, claim, claimed }) => {
    if (!claimed.first) {
      if ('conflict' in claimed) return claimed.conflict;
      // A key that this very frame has claimed has no answer in the database yet.
      return claimed.answer === '' ? repeated(first.get(keyOf(claim!))!) : replayed(claimed.answer);
    }
    const product = productOf(call);
    const verdict = nextLink(links.get(nameOf(product)), call.request, held.now);
    if (verdict.result === 'applied') {
      links.set(nameOf(product), verdict.link);
      changes.push({ ...product, id: uuidv7(), link: verdict.link });
    }
    const outcome = outcomeOf(product, verdict);
    if (claim) first.set(keyOf(claim), outcome);
    return outcome;
  });
  return { outcomes, changes };
}

function outcomeOf({ product_id }: ProductKey, { result, link }: Verdict): Outcome {
  if (result !== 'unexpected') {
    const { price, previous_price, timestamp, sequence } = link;
    return Reply.of({ product_id, previous_price, price, timestamp, sequence, result });
  }
  const current_price = link?.price ?? null;
  const detail = link ? `The price is ${link.price}` : 'The product has no price yet';
  return new Failure('conflict', detail, { members: { product_id, current_price } });
}

/** Answers to keep with their keys, and keys to let go of as their call was refused. */
function answersOf(wishes: Wish[], outcomes: Outcome[]): [answered: Claim[], refused: Claim[]] {
  const answered: Claim[] = [];
  const refused: Claim[] = [];
  wishes.forEach(({ claim, claimed }, index) => {
    const outcome = outcomes[index]!;
    if (!claim || !claimed.first) return;
    if (outcome instanceof Failure) refused.push(claim);
    else answered.push({ ...claim, answer: String(outcome.json) });
  });
  return [answered, refused];
}

function repeated(outcome: Outcome): Outcome {
  return outcome instanceof Failure ? outcome : replayed(String(outcome.json));
}

function replayed(answer: string): Reply<RepriceReceipt> {
  return Reply.json(answer, { replayed: true });
}

function productOf({ caller, request }: Call<Reprice>): ProductKey {
  return { project_id: caller.project_id, product_id: request.product_id };
}

/** Its answer hangs on the chain: it is known only when the turn has come. */
function claimOf({ caller, idempotency }: Call<Reprice>): Claim | undefined {
  return idempotency && { ...idempotency, project_id: caller.project_id, answer: '' };
}

function keyOf({ project_id, route, key }: Claim): string {
  return JSON.stringify([project_id, route, key]);
}
