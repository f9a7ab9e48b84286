import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  countEvents,
  getEvent,
  parseMoment,
  queryEvents,
  recordEvent,
  type CallContext,
  type EventFilter,
  type EventQuery,
  type HistogramQuery,
  type NewEvent,
  type RecordedEvent,
} from '#contracts';
import { context, queryDatabase, rowsRead } from '#testing';
import { anEvent, insertLarge, oldestFirst } from './event-builders.js';
import { type ActivityEvents, startActivityEvents } from './start-activity-events.js';

const WORDS = fc.constantFrom('billing', 'Billing', 'auth', 'gate way');
const DEVICES = fc.constantFrom('pump 7/north', '*', '漢字');
const CHARACTERS = fc.constantFrom(
  'a',
  'A',
  'b',
  '%',
  '_',
  '\\',
  'é',
  'É',
  'ß',
  'Σ',
  'σ',
  '漢',
  '😀',
  "'",
  ' ',
);
const TIMES = fc
  .integer({ min: -2_000, max: 2_000 })
  .map((minutes) => new Date(Date.UTC(2026, 0, 31, 12) + minutes * 60_000).toISOString());
const MOMENTS = fc.oneof(
  TIMES,
  TIMES.map((time) => time.slice(0, 10)),
  TIMES.map((time) => `${time.slice(5, 10)}-${time.slice(0, 4)}`),
);

const newEvents: fc.Arbitrary<NewEvent> = fc
  .record(
    {
      component: WORDS,
      environment: WORDS,
      email: fc.constantFrom('ada@example.com', 'bob@example.com'),
      message: fc.string({ unit: CHARACTERS, minLength: 1, maxLength: 12 }),
      occurred_at: TIMES,
      device_id: DEVICES,
    },
    { requiredKeys: ['component', 'environment', 'email', 'message', 'occurred_at'], noNullPrototype: true },
  )
  .map(anEvent);

const filters: fc.Arbitrary<EventFilter> = fc.record(
  {
    component: WORDS,
    environment: WORDS,
    email: fc.constantFrom('ada@example.com', 'bob@example.com', 'ADA@example.com'),
    message: fc.string({ unit: CHARACTERS, minLength: 1, maxLength: 4 }),
    device_id: DEVICES,
    from_date: MOMENTS,
    to_date: MOMENTS,
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** What a filter means, in the simplest words there are. */
function passes(event: RecordedEvent, filter: EventFilter): boolean {
  const lower = (text: string): string => [...text].map((character) => character.toLowerCase()).join('');
  const { message, from_date, to_date, ...equal } = filter;
  return (
    Object.entries(equal).every(([name, value]) => event[name as keyof RecordedEvent] === value) &&
    (message === undefined || lower(event.message).includes(lower(message))) &&
    (from_date === undefined || new Date(event.occurred_at) >= parseMoment(from_date)!) &&
    (to_date === undefined || new Date(event.occurred_at) < parseMoment(to_date)!)
  );
}

describe('finding events', () => {
  let service: ActivityEvents;
  let reader: CallContext;

  beforeAll(async () => {
    service = await startActivityEvents();
  });
  beforeEach(() => {
    reader = context();
  });
  afterAll(() => service.stop());

  const record = async (...events: NewEvent[]): Promise<RecordedEvent[]> => {
    const replies = await Promise.all(events.map((event) => service.bus.call(recordEvent, event, reader)));
    return replies.map(({ body }) => body);
  };
  const query = async (request: EventQuery = {}, as = reader) =>
    (await service.bus.call(queryEvents, request, as)).body;
  const count = async (request: HistogramQuery) =>
    (await service.bus.call(countEvents, request, reader)).body.buckets;
  const deviceOf = ({ caller }: CallContext, address: string): CallContext =>
    context({ project_id: caller.project_id, role: 'device', principal: address, address });
  const walk = async (request: EventQuery, between: () => Promise<unknown> = async () => undefined) => {
    const seen: RecordedEvent[] = [];
    for (let cursor: string | undefined; ;) {
      const { events, next_cursor } = await query({ ...request, cursor });
      seen.push(...events);
      if (next_cursor === null) return seen;
      cursor = next_cursor;
      await between();
    }
  };

  it('finds, by any filter and in both orders, exactly what the filter means', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(newEvents, { maxLength: 30 }),
        fc.array(
          fc.tuple(filters, fc.constantFrom('asc', 'desc', undefined), fc.integer({ min: 1, max: 40 })),
          {
            minLength: 5,
            maxLength: 10,
          },
        ),
        async (events, questions) => {
          reader = context();
          const recorded = (await record(...events)).sort(oldestFirst);
          for (const [filter, order, limit] of questions) {
            const expected = recorded.filter((event) => passes(event, filter));
            if (order !== 'asc') expected.reverse();
            expect(await walk({ ...filter, order, limit })).toEqual(expected);
          }
        },
      ),
      { numRuns: 40 },
    );
  });

  it('shows a device nothing but its own, by any filter', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(newEvents, { maxLength: 20 }),
        filters,
        DEVICES,
        async (events, filter, address) => {
          reader = context();
          const recorded = (await record(...events)).sort(oldestFirst);
          const own = recorded.filter((event) => event.device_id === address);
          const { events: found } = await query({ ...filter, order: 'asc' }, deviceOf(reader, address));
          expect(found).toEqual(own.filter((event) => passes(event, filter)));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('counts, by any filter, what it would find', async () => {
    const truncated = { minute: 16, hour: 13, day: 10 };
    await fc.assert(
      fc.asyncProperty(
        fc.array(newEvents, { maxLength: 30 }),
        filters,
        fc.constantFrom('minute' as const, 'hour' as const, 'day' as const),
        fc.constantFrom('component' as const, 'environment' as const, undefined),
        async (events, filter, interval, group_by) => {
          reader = context();
          const recorded = await record(...events);
          const counts = new Map<string, number>();
          for (const event of recorded.filter((one) => passes(one, filter))) {
            const start =
              event.occurred_at.slice(0, truncated[interval]) +
              '0000-01-01T00:00:00.000Z'.slice(truncated[interval]);
            const bucket = JSON.stringify({ start, ...(group_by && { key: event[group_by] }) });
            counts.set(bucket, (counts.get(bucket) ?? 0) + 1);
          }
          const buckets = await count({ ...filter, interval, group_by });
          expect(buckets.map(({ count: number, ...bucket }) => [JSON.stringify(bucket), number])).toEqual(
            [...counts].sort(([one], [other]) => (one < other ? -1 : 1)),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  it('takes no character of a part of a message for a wildcard', async () => {
    const messages = ['100%', '100 percent', 'a_b', 'axb', 'a\\b', 'a\\\\b', 'ÀÉÎ', 'Straße'];
    await record(...messages.map((message) => anEvent({ message })));
    const found = async (message: string) =>
      (await query({ message })).events.map((event) => event.message).sort();
    expect(await found('0%')).toEqual(['100%']);
    expect(await found('%')).toEqual(['100%']);
    expect(await found('a_b')).toEqual(['a_b']);
    expect(await found('_')).toEqual(['a_b']);
    expect(await found('a\\b')).toEqual(['a\\b']);
    expect(await found('\\')).toEqual(['a\\\\b', 'a\\b']);
    expect(await found('àéî')).toEqual(['ÀÉÎ']);
    expect(await found('STRA')).toEqual(['Straße']);
    expect(await found("' OR true --")).toEqual([]);
  });

  it.each(['asc', 'desc'] as const)(
    'walks past each stable event once, %s, while others write',
    async (order) => {
      const at = (minute: number): string => new Date(Date.UTC(2026, 0, 1, 0, minute)).toISOString();
      // Many at the same instant: the id decides.
      const stable = await record(
        ...Array.from({ length: 90 }, (_, index) => anEvent({ occurred_at: at(index % 7) })),
      );
      let minute = 0;
      const seen = await walk({ order, limit: 7 }, () =>
        record(
          anEvent({ message: 'late', occurred_at: at(minute++ % 9) }),
          anEvent({ message: 'late', occurred_at: at(3) }),
        ),
      );
      const expected = stable.sort(oldestFirst);
      if (order === 'desc') expected.reverse();
      expect(seen.filter(({ message }) => message !== 'late')).toEqual(expected);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
    },
  );

  it('finds a word of any script by an index', async () => {
    await record(...['Ошибка насоса', 'İstanbul', '漢字文庫'].map((message) => anEvent({ message })));
    await queryDatabase(
      service.urls.owner,
      `INSERT INTO activity_events.events
         (project_id, id, occurred_at, component, environment, email, message, data, created_at)
       SELECT $1, gen_random_uuid(), now(), 'c', 'e', 'a@b.co', 'Готово ' || n, '{}', now()
       FROM generate_series(1, 20000) AS n`,
      [reader.caller.project_id],
    );
    await queryDatabase(service.urls.owner, 'ANALYZE activity_events.events');
    for (const message of ['ошибка', 'istanbul', '漢字文']) {
      const read = await rowsRead(service.urls.service, 'activity_events.events', async () => {
        expect((await query({ message })).events).toHaveLength(1);
      });
      expect([message, read < 100]).toEqual([message, true]);
    }
  });

  it('gives a hundred events a page unless told, and the next cursor as a mark too', async () => {
    await record(...Array.from({ length: 101 }, () => anEvent()));
    const { body, marks } = await service.bus.call(queryEvents, {}, reader);
    expect(body.events).toHaveLength(100);
    expect(marks.next_cursor).toBe(body.next_cursor);
    expect((await query({ cursor: body.next_cursor! })).events).toHaveLength(1);
    expect((await query({ limit: 101 })).next_cursor).toBeNull();
  });

  it('ends a page of large events early, and loses none of them', async () => {
    // Three bytes a character: what counts is what travels.
    const large = anEvent({ data: { text: '漢'.repeat(80_000) } });
    const recorded = await record(...Array.from({ length: 60 }, () => large));
    const first = await query({ limit: 1000 });
    expect(first.events.length).toBeLessThan(60);
    expect(first.next_cursor).not.toBeNull();
    const ids = (await walk({ limit: 1000 })).map(({ id }) => id);
    expect(ids).toEqual(
      recorded
        .sort(oldestFirst)
        .reverse()
        .map(({ id }) => id),
    );
  });

  it.each([
    { order: 'asc', limit: 1 },
    { order: 'desc', limit: 7 },
    { order: 'asc', limit: 100 },
    { order: 'desc', limit: 1000 },
    { order: 'asc', limit: 1000, message: 'large', from_date: '2020-01-01', to_date: '2040-01-01' },
  ] as const)('walks past each event once when no read has room for what it asks: %j', async (question) => {
    await insertLarge(service.urls, reader.caller.project_id, 60);
    const [small] = await record(anEvent({ message: 'not so large', occurred_at: '2021-01-01T00:00:00Z' }));
    const seen = (await walk(question)).map(({ message }) => message);
    const expected = Array.from({ length: 60 }, (_, index) => `large ${index}`);
    expected.push(small!.message);
    if (question.order === 'desc') expected.reverse();
    expect(seen).toEqual(expected);
  });

  it('reads by the rarer of two filters, however often it is asked', async () => {
    await queryDatabase(
      service.urls.owner,
      `INSERT INTO activity_events.events
         (project_id, id, occurred_at, component, environment, email, message, data, device_id, created_at)
       SELECT $1, gen_random_uuid(), date_trunc('month', now(), 'UTC') + (20000 - n) * interval '1 ms',
         CASE WHEN n <= 100 THEN 'alarm' ELSE 'meter' END, 'e', 'a@b.co', 'm', '{}', CASE WHEN n <= 8000 THEN 'pump ' || n ELSE 'busy' END, now()
       FROM generate_series(1, 20000) AS n`,
      [reader.caller.project_id],
    );
    await queryDatabase(service.urls.owner, 'ANALYZE activity_events.events');
    const rows = await rowsRead(service.urls.service, 'activity_events.events', async () => {
      for (let times = 0; times < 10; times += 1) {
        expect((await query({ device_id: 'busy', component: 'alarm' })).events).toEqual([]);
        expect((await query({ component: 'alarm' }, deviceOf(reader, 'busy'))).events).toEqual([]);
      }
    });
    expect(rows).toBeLessThan(10_000);
  });

  it.each(['abc', 'W10', Buffer.from('["2026-01-31T12:00:00.000Z","x"]').toString('base64url')])(
    'refuses the cursor %s, which it never gave',
    async (cursor) => {
      await expect(query({ cursor })).rejects.toMatchObject({
        code: 'invalid',
        errors: [{ pointer: '/cursor' }],
      });
    },
  );

  it('finds nothing of another project, by no way', async () => {
    const [event] = await record(anEvent({ device_id: 'd' }));
    const stranger = context();
    for (const as of [stranger, deviceOf(stranger, 'd')]) {
      expect((await query({}, as)).events).toEqual([]);
      await expect(service.bus.call(getEvent, { id: event!.id }, as)).rejects.toMatchObject({
        code: 'not_found',
      });
    }
  });

  it('gives one event to whoever may see it, and to nobody else', async () => {
    const [own, other, nobodys] = await record(
      anEvent({ device_id: 'd' }),
      anEvent({ device_id: 'e' }),
      anEvent(),
    );
    const get = (id: string, as: CallContext) =>
      service.bus.call(getEvent, { id }, as).then(
        ({ body }) => body,
        ({ code }: { code: string }) => code,
      );
    const device = deviceOf(reader, 'd');
    expect(await get(own!.id, reader)).toEqual(own);
    expect(await get(own!.id.toUpperCase(), reader)).toEqual(own);
    expect(await get(own!.id, device)).toEqual(own);
    expect(await get(other!.id, device)).toBe('not_found');
    expect(await get(nobodys!.id, device)).toBe('not_found');
    expect(await get(randomUUID(), reader)).toBe('not_found');
  });

  it('refuses to count into more buckets than anyone can read', async () => {
    await queryDatabase(
      service.urls.owner,
      `INSERT INTO activity_events.events
         (project_id, id, occurred_at, component, environment, email, message, data, created_at)
       SELECT $1, gen_random_uuid(), '2026-01-01T00:00:00Z'::timestamptz + minute * interval '1 minute',
         'c', 'e', 'a@b.co', 'm', '{}', now() FROM generate_series(0, 10000) AS minute`,
      [reader.caller.project_id],
    );
    await expect(count({ interval: 'minute' })).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ pointer: '/interval' }],
    });
    expect(await count({ interval: 'minute', to_date: '2026-01-07T22:40:00Z' })).toHaveLength(10_000);
    expect((await count({ interval: 'day' })).reduce((sum, bucket) => sum + bucket.count, 0)).toBe(10_001);
  });
});
