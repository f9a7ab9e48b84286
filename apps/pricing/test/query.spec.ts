import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { getPrice, queryPriceChanges, reprice, type PriceChange, type PriceChangeQuery } from '#contracts';
import { context, queryDatabase } from '#testing';
import { type Pricing, startPricing } from './start-pricing.js';

describe('asking for prices', () => {
  let service: Pricing;
  let project_id: string;

  beforeAll(async () => {
    service = await startPricing({ replicas: 1 });
  });
  beforeEach(() => {
    project_id = randomUUID();
  });
  afterAll(() => service.stop());

  const set = async (product_id: string, price: string) =>
    (await service.bus.call(reprice, { product_id, price }, context({ project_id }))).body;
  const page = async (query: PriceChangeQuery) =>
    (await service.bus.call(queryPriceChanges, query, context({ project_id }))).body;
  const walk = async (query: PriceChangeQuery): Promise<PriceChange[]> => {
    const changes: PriceChange[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const next = await page({ ...query, cursor });
      changes.push(...next.changes);
      cursor = next.next_cursor;
    }
    return changes;
  };
  const priceAt = (product_id: string, at?: string) =>
    service.bus.call(getPrice, { product_id, at }, context({ project_id }));
  /** Changes at times of their own, behind the product's back: each product a chain, several of one time. */
  const givenChanges = async (changes: Omit<PriceChange, 'previous_price'>[]): Promise<void> => {
    await queryDatabase(
      service.urls.owner,
      `INSERT INTO pricing.changes SELECT $1, product_id, timestamp, sequence, gen_random_uuid(),
         CASE WHEN sequence > 1 THEN 1 END, new_price, 1
       FROM json_to_recordset($2) AS change (product_id text, timestamp timestamptz, sequence int, new_price numeric)`,
      [project_id, JSON.stringify(changes)],
    );
  };

  it('answers the price now, and its version', async () => {
    await set('p', '1');
    const { result: _, ...price } = await set('p', '2.50');
    const reply = await priceAt('p');
    expect(reply.body).toEqual(price);
    expect(reply.marks).toEqual({ version: '2' });
  });

  it('answers the price at any time, the change itself included', async () => {
    await givenChanges([
      { product_id: 'p', new_price: '1.10', timestamp: '2020-01-31T12:00:00.000Z', sequence: 1 },
      { product_id: 'p', new_price: '2', timestamp: '2020-03-01T00:00:00.000Z', sequence: 2 },
      { product_id: 'p', new_price: '3', timestamp: '2020-03-01T00:00:00.000Z', sequence: 3 },
    ]);
    await expect(priceAt('p', '2020-01-31T11:59:59.999Z')).rejects.toMatchObject({ code: 'not_found' });
    expect((await priceAt('p', '2020-01-31T12:00:00Z')).body).toMatchObject({ price: '1.10', sequence: 1 });
    expect((await priceAt('p', '2020-02-29')).body).toMatchObject({ price: '1.10', sequence: 1 });
    expect((await priceAt('p', '2020-03-01')).body).toMatchObject({ price: '3', sequence: 3 });
    expect((await priceAt('p', '2999-01-01')).body).toMatchObject({ price: '3', sequence: 3 });
  });

  it('finds nothing of a product that has no price', async () => {
    await expect(priceAt('p')).rejects.toMatchObject({ code: 'not_found' });
    expect(await page({ product_id: 'p' })).toEqual({ changes: [], next_cursor: null });
  });

  it('lists changes oldest first, or newest first when told', async () => {
    await set('p', '1');
    await set('q', '1');
    await set('p', '2');
    const { changes } = await page({ product_id: 'p' });
    expect(changes.map(({ sequence }) => sequence)).toEqual([1, 2]);
    expect((await page({ product_id: 'p', order: 'desc' })).changes).toEqual(changes.toReversed());
    expect((await page({})).changes).toHaveLength(3);
  });

  it('walks every change once, in any order and any page size, as the conditions say', async () => {
    const products = ['a', 'b', 'ü 1/2'];
    const days = ['2019-12-31', '2020-01-01', '2020-01-02', '2031-05-05'];
    const plan = fc.array(fc.record({ product: fc.constantFrom(...products), days: fc.nat(1) }), {
      maxLength: 40,
    });
    const query = fc.record(
      {
        product_id: fc.constantFrom(...products),
        from: fc.constantFrom(...days),
        to: fc.constantFrom(...days),
        order: fc.constantFrom('asc' as const, 'desc' as const),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(plan, query, fc.integer({ min: 1, max: 7 }), async (steps, conditions, limit) => {
        project_id = randomUUID();
        const chains = new Map(products.map((product) => [product, { day: 0, sequence: 0 }]));
        const given = steps.map((step) => {
          const chain = chains.get(step.product)!;
          chain.day = Math.min(chain.day + step.days, days.length - 1);
          chain.sequence += 1;
          const timestamp = `${days[chain.day]}T00:00:00.000Z`;
          return { product_id: step.product, new_price: '1', timestamp, sequence: chain.sequence };
        });
        await givenChanges(given);
        const { product_id, from = '0001', to = '9999', order = 'asc' } = conditions;
        const expected = given
          .filter((change) => product_id === undefined || change.product_id === product_id)
          .filter(({ timestamp }) => timestamp >= from && timestamp < to)
          .sort(byPlace);
        const walked = await walk({ ...conditions, limit });
        expect(walked.map(({ previous_price: _, ...rest }) => rest)).toEqual(
          order === 'asc' ? expected : expected.toReversed(),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('reads each list and each price from an index, in its order', async () => {
    await queryDatabase(
      service.urls.owner,
      `INSERT INTO pricing.changes SELECT $1, 'p' || n % 100, '2020-01-31'::timestamptz + n * interval '1 minute', 1,
         gen_random_uuid(), NULL, 1, 1 FROM generate_series(1, 20000) AS n`,
      [project_id],
    );
    await queryDatabase(service.urls.owner, 'ANALYZE pricing.changes');
    const planOf = async (where: string, order: string, limit = 101): Promise<string> => {
      const rows = await queryDatabase<{ 'QUERY PLAN': string }>(
        service.urls.service,
        `EXPLAIN SELECT product_id FROM pricing.changes WHERE project_id = '${project_id}' AND ${where}
         ORDER BY ${order} LIMIT ${limit}`,
      );
      return rows.map((row) => row['QUERY PLAN']).join('\n');
    };
    const newestFirst = 'timestamp DESC, product_id DESC, sequence DESC';
    const plans = await Promise.all([
      planOf(`timestamp >= '2020-02-01' AND timestamp < '2020-02-05'`, 'timestamp, product_id, sequence'),
      planOf(`(timestamp, product_id, sequence) < ('2020-02-05', 'p1', 1)`, newestFirst),
      planOf(`product_id = 'p1' AND timestamp < '2020-02-05'`, 'timestamp, sequence'),
      planOf(`product_id = 'p1' AND timestamp <= '2020-02-05'`, 'timestamp DESC, sequence DESC', 1),
    ]);
    for (const plan of plans) {
      expect(plan).toMatch(/Index (Only )?Scan (Backward )?using changes_past_\w+ on changes_past/);
      expect(plan).not.toMatch(/->\s+Sort /);
    }
  });
});

type Placed = Pick<PriceChange, 'timestamp' | 'product_id' | 'sequence'>;

function byPlace(one: Placed, other: Placed): number {
  if (one.timestamp !== other.timestamp) return one.timestamp < other.timestamp ? -1 : 1;
  if (one.product_id !== other.product_id) return one.product_id < other.product_id ? -1 : 1;
  return one.sequence - other.sequence;
}
