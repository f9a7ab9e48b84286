import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import {
  getPrice,
  isSameDecimal,
  queryPriceChanges,
  reprice,
  type CallContext,
  type Failure,
  type PriceChange,
  type Reprice,
} from '#contracts';
import { contentHash } from '#database';
import { context, queryDatabase } from '#testing';
import { type Pricing, startPricing } from './start-pricing.js';

describe('repricing, with two replicas', () => {
  let service: Pricing;
  let project_id: string;

  beforeAll(async () => {
    service = await startPricing({ replicas: 2 });
  });
  beforeEach(() => {
    project_id = randomUUID();
  });
  afterAll(() => service.stop());

  const set = (request: Reprice, call: CallContext = context({ project_id }), bus = service.bus) =>
    bus.call(reprice, request, call);
  const withKey = (key: string, request: Reprice): CallContext =>
    context(
      { project_id },
      { idempotency: { route: 'POST /v1/prices', key, content_hash: contentHash(request) } },
    );
  const priceOf = async (product_id: string, at?: string) =>
    (await service.bus.call(getPrice, { product_id, at }, context({ project_id }))).body;
  const chainOf = async (product_id: string): Promise<PriceChange[]> => {
    const query = { product_id, limit: 1000 };
    return (await service.bus.call(queryPriceChanges, query, context({ project_id }))).body.changes;
  };
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'accepted',
      ({ code }: Failure) => code,
    );

  it('answers the new price with the one before, and keeps exactly that', async () => {
    const first = (await set({ product_id: 'p', price: '19.90' })).body;
    const second = (await set({ product_id: 'p', price: '21' })).body;
    const timestamp = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
    expect(first).toEqual({
      product_id: 'p',
      previous_price: null,
      price: '19.90',
      timestamp,
      sequence: 1,
      result: 'applied',
    });
    expect(second).toMatchObject({ previous_price: '19.90', price: '21', sequence: 2, result: 'applied' });
    const { result: _, ...kept } = second;
    expect(await priceOf('p')).toEqual(kept);
  });

  it.each(['0.1', '19.90', '123456789012.123456', '123456789012345678', '0.000001', '1.000000'])(
    'keeps the digits of %s',
    async (price) => {
      expect((await set({ product_id: 'p', price })).body.price).toBe(price);
      expect((await priceOf('p')).price).toBe(price);
      expect((await chainOf('p'))[0]!.new_price).toBe(price);
    },
  );

  it('takes the same number with other digits for the same price, and changes nothing', async () => {
    const first = (await set({ product_id: 'p', price: '19.90' })).body;
    const again = (await set({ product_id: 'p', price: '19.9' })).body;
    expect(again).toEqual({ ...first, result: 'duplicate' });
    expect(await chainOf('p')).toHaveLength(1);
  });

  it('changes an expected price, compared as a number, and no other', async () => {
    expect(await codeOf(set({ product_id: 'p', price: '1', expected_previous_price: '1' }))).toBe('conflict');
    await set({ product_id: 'p', price: '19.90', expected_previous_price: null });
    await expect(
      set({ product_id: 'p', price: '20', expected_previous_price: '19.91' }),
    ).rejects.toMatchObject({
      code: 'conflict',
      members: { product_id: 'p', current_price: '19.90' },
    });
    expect(await codeOf(set({ product_id: 'p', price: '20', expected_previous_price: null }))).toBe(
      'conflict',
    );
    const changed = await set({ product_id: 'p', price: '20', expected_previous_price: '19.9' });
    expect(changed.body).toMatchObject({ previous_price: '19.90', price: '20', sequence: 2 });
  });

  it('lets exactly one of many win who expect the same price', async () => {
    await set({ product_id: 'p', price: '1' });
    const wishes = Array.from({ length: 20 }, (_, index) => ({
      product_id: 'p',
      price: `${index + 2}`,
      expected_previous_price: '1',
    }));
    const codes = await Promise.all(
      wishes.map((wish, index) =>
        codeOf(set(wish, undefined, index % 2 === 0 ? service.bus : service.otherBus)),
      ),
    );
    expect(codes.filter((code) => code === 'accepted')).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(['accepted', 'conflict']));
    expect(await chainOf('p')).toHaveLength(2);
  });

  it('keeps each project’s prices for itself', async () => {
    await set({ product_id: 'p', price: '1' });
    const other = context();
    expect(await codeOf(service.bus.call(getPrice, { product_id: 'p' }, other))).toBe('not_found');
    expect((await set({ product_id: 'p', price: '2' }, other)).body).toMatchObject({ sequence: 1 });
    expect((await priceOf('p')).price).toBe('1');
  });

  it('makes one chain without forks of any crowd of repricers', async () => {
    const crowd = fc.array(fc.record({ product: fc.nat(3), price: fc.integer({ min: 1, max: 4 }) }), {
      minLength: 1,
      maxLength: 120,
    });
    await fc.assert(
      fc.asyncProperty(crowd, async (wishes) => {
        project_id = randomUUID();
        const calls = wishes.map(({ product, price }, index) => {
          const wish = { product_id: `p${product}`, price: `${price}.${index % 2 === 0 ? '5' : '50'}` };
          return set(wish, undefined, index % 3 === 0 ? service.otherBus : service.bus);
        });
        const answers = (await Promise.all(calls)).map(({ body }) => body);
        for (const product_id of new Set(answers.map((answer) => answer.product_id))) {
          const chain = await chainOf(product_id);
          expectOneChain(chain);
          const applied = answers.filter(
            (answer) => answer.product_id === product_id && answer.result === 'applied',
          );
          const links = applied.map(({ result: _, price, ...rest }) => ({ ...rest, new_price: price }));
          expect(links.sort((one, other) => one.sequence - other.sequence)).toEqual(chain);
          expect(await priceOf(product_id)).toMatchObject({
            price: chain.at(-1)!.new_price,
            sequence: chain.length,
          });
        }
        for (const answer of answers.filter(({ result }) => result === 'duplicate'))
          expect(await chainOf(answer.product_id)).toContainEqual(linkOf(answer));
      }),
      { numRuns: 25 },
    );
  });

  it('chains the wishes of one frame in the order in which they were sent', async () => {
    const prices = Array.from({ length: 100 }, (_, index) => `${index + 1}`);
    await Promise.all(prices.map((price) => set({ product_id: 'p', price })));
    const chain = await chainOf('p');
    expectOneChain(chain);
    expect(chain.map(({ new_price }) => new_price)).toEqual(prices);
  });

  it('numbers transactions along each chain, so that a feed by them keeps its order', async () => {
    const wishes = Array.from({ length: 300 }, (_, index) => {
      const wish = { product_id: `p${index % 7}`, price: `${index + 1}` };
      return set(
        wish,
        index % 5 === 0 ? withKey(`k${index}`, wish) : undefined,
        index % 2 === 0 ? service.bus : service.otherBus,
      );
    });
    await Promise.all(wishes);
    const feed = await queryDatabase<{ product_id: string; sequence: string }>(
      service.urls.owner,
      'SELECT product_id, sequence FROM pricing.changes WHERE project_id = $1 ORDER BY transaction_id, id',
      [project_id],
    );
    for (let product = 0; product < 7; product += 1) {
      const sequences = feed.filter((row) => row.product_id === `p${product}`).map((row) => row.sequence);
      expect(sequences).toEqual(sequences.map((_, index) => `${index + 1}`));
    }
  });

  describe('with a key', () => {
    it('answers a repeat by the first answer, although the price has changed since', async () => {
      const wish = { product_id: 'p', price: '1' };
      const first = await set(wish, withKey('k', wish));
      await set({ product_id: 'p', price: '2' });
      const again = await set(wish, withKey('k', wish));
      expect(again.marks).toEqual({ replayed: true });
      expect(again.json).toEqual(first.json);
      expect((await priceOf('p')).price).toBe('2');
    });

    it('answers repeats that come at once by one answer', async () => {
      const wish = { product_id: 'p', price: '1' };
      const calls = Array.from({ length: 30 }, (_, index) =>
        set(wish, withKey('k', wish), index % 2 === 0 ? service.bus : service.otherBus),
      );
      const answers = await Promise.all(calls);
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      expect(answers.filter(({ marks }) => !marks.replayed)).toHaveLength(1);
      expect(answers[0]!.body.result).toBe('applied');
      expect(await chainOf('p')).toHaveLength(1);
    });

    it('refuses other content under the same key, and changes nothing', async () => {
      const [wish, other] = [
        { product_id: 'p', price: '1' },
        { product_id: 'q', price: '1' },
      ];
      await set(wish, withKey('k', wish));
      await expect(set(other, withKey('k', other))).rejects.toMatchObject({
        code: 'idempotency_conflict',
        members: { first_content_hash: contentHash(wish), content_hash: contentHash(other) },
      });
      expect(await chainOf('q')).toEqual([]);
    });

    it('keeps no refusal: what did not hold then may hold later', async () => {
      const wish = { product_id: 'p', price: '2', expected_previous_price: '1' };
      const refused = await Promise.all([1, 2, 3].map(() => codeOf(set(wish, withKey('k', wish)))));
      expect(refused).toEqual(['conflict', 'conflict', 'conflict']);
      await set({ product_id: 'p', price: '1' });
      expect((await set(wish, withKey('k', wish))).body).toMatchObject({ price: '2', result: 'applied' });
      expect((await set(wish, withKey('k', wish))).marks).toEqual({ replayed: true });
    });

    it('never refuses a repeat because of the price that its first has just set', async () => {
      await set({ product_id: 'p', price: '1' });
      const wish = { product_id: 'p', price: '2', expected_previous_price: '1' };
      const calls = Array.from({ length: 30 }, (_, index) =>
        set(wish, withKey('k', wish), index % 2 === 0 ? service.bus : service.otherBus),
      );
      const answers = await Promise.all(calls);
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      expect(await chainOf('p')).toHaveLength(2);
    });

    it('changes a price once, however a crowd repeats itself', async () => {
      const crowd = fc.array(fc.record({ key: fc.nat(9), product: fc.nat(2) }), {
        minLength: 1,
        maxLength: 60,
      });
      await fc.assert(
        fc.asyncProperty(crowd, async (wishes) => {
          project_id = randomUUID();
          const calls = wishes.map(({ key, product }, index) => {
            const wish = { product_id: `p${product}`, price: `${key + 1}` };
            const bus = index % 2 === 0 ? service.bus : service.otherBus;
            return set(wish, withKey(`${product} ${key}`.replace(' ', '-'), wish), bus);
          });
          const answers = (await Promise.all(calls)).map(({ body }) => body);
          for (const product_id of new Set(answers.map((answer) => answer.product_id))) {
            const chain = await chainOf(product_id);
            expectOneChain(chain);
            const prices = chain.map(({ new_price }) => new_price);
            expect(new Set(prices).size).toBe(prices.length);
          }
        }),
        { numRuns: 25 },
      );
    });
  });

  it('is unavailable, and changes nothing, while somebody holds the product for too long', async () => {
    const holder = new Client({ connectionString: service.urls.owner });
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE pricing.prices IN ACCESS EXCLUSIVE MODE');
    const wish = { product_id: 'p', price: '1' };
    expect(await codeOf(set(wish, withKey('k', wish)))).toBe('unavailable');
    await holder.query('ROLLBACK');
    await holder.end();
    expect(await chainOf('p')).toEqual([]);
    expect((await set(wish, withKey('k', wish))).marks).toEqual({});
  });

  it('refuses the one price of a frame that the database cannot keep, and takes its neighbours', async () => {
    const calls = ['1', '-1', '2'].map((price) => codeOf(set({ product_id: 'p', price })));
    expect(await Promise.all(calls)).toEqual(['accepted', 'internal', 'accepted']);
    expectOneChain(await chainOf('p'));
    expect(await chainOf('p')).toHaveLength(2);
  });
});

function expectOneChain(chain: PriceChange[]): void {
  chain.forEach((link, index) => {
    const before = chain[index - 1];
    expect(link.sequence).toBe(index + 1);
    expect(link.previous_price).toBe(before?.new_price ?? null);
    if (!before) return;
    expect(isSameDecimal(link.new_price, before.new_price)).toBe(false);
    expect(link.timestamp >= before.timestamp).toBe(true);
  });
}

function linkOf(answer: { result: string; price: string } & Omit<PriceChange, 'new_price'>): PriceChange {
  const { result: _, price, ...rest } = answer;
  return { ...rest, new_price: price };
}
