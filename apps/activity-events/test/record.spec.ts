import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import {
  getEvent,
  queryEvents,
  recordEvent,
  type CallContext,
  type Failure,
  type NewEvent,
} from '#contracts';
import { contentHash } from '#database';
import { context, queryDatabase } from '#testing';
import { anEvent } from './event-builders.js';
import { type ActivityEvents, startActivityEvents } from './start-activity-events.js';

describe('recording events', () => {
  let service: ActivityEvents;
  let project_id: string;

  beforeAll(async () => {
    service = await startActivityEvents();
  });
  beforeEach(() => {
    project_id = randomUUID();
  });
  afterAll(() => service.stop());

  const record = (event: NewEvent, call: CallContext = context({ project_id })) =>
    service.bus.call(recordEvent, event, call);
  const withKey = (key: string, event: NewEvent): CallContext =>
    context(
      { project_id },
      { idempotency: { route: 'POST /v1/events', key, content_hash: contentHash(event) } },
    );
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'recorded',
      ({ code }: Failure) => code,
    );
  const all = async () => {
    const reply = await service.bus.call(queryEvents, { limit: 1000 }, context({ project_id }));
    return reply.body.events;
  };

  it('answers the event with its id and its time, and keeps exactly that', async () => {
    const event = anEvent({ device_id: 'pump 7/north', occurred_at: '2026-01-31T12:00:00.123+01:00' });
    const { body, marks } = await record(event);
    expect(body).toEqual({
      ...event,
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      occurred_at: '2026-01-31T11:00:00.123Z',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(marks).toEqual({});
    expect((await service.bus.call(getEvent, { id: body.id }, context({ project_id }))).body).toEqual(body);
  });

  it('takes the time of recording for the time of an event that has none', async () => {
    const { body } = await record(anEvent());
    expect(body).toMatchObject({ occurred_at: body.created_at, device_id: null });
  });

  it('keeps data and text as they came, whatever they hold', async () => {
    const storable = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => text.isWellFormed() && !text.includes('\0'));
    await fc.assert(
      fc.asyncProperty(storable, fc.dictionary(storable, fc.jsonValue()), async (text, value) => {
        const data = JSON.parse(JSON.stringify(value)) as Record<string, unknown>;
        const { body } = await record(anEvent({ component: text, message: text, data }));
        expect(body).toMatchObject({ component: text, message: text });
        expect(JSON.stringify(body.data)).toBe(JSON.stringify(data));
        const found = await service.bus.call(getEvent, { id: body.id }, context({ project_id }));
        expect(found.json).toEqual(Buffer.from(JSON.stringify(body)));
      }),
      { numRuns: 60 },
    );
  });

  it('has a place for an event of any year', async () => {
    for (const occurred_at of [
      '0001-01-01T00:00:00Z',
      '1969-12-31T23:59:59.999Z',
      '9999-12-31T23:59:59.999Z',
    ]) {
      const { body } = await record(anEvent({ occurred_at }));
      expect(new Date(body.occurred_at)).toEqual(new Date(occurred_at));
    }
    expect(await all()).toHaveLength(3);
  });

  it('answers a repeat of a key by the first answer, and records no second event', async () => {
    const event = anEvent();
    const first = await record(event, withKey('k', event));
    const again = await record(event, withKey('k', event));
    expect(first.marks).toEqual({});
    expect(again.marks).toEqual({ replayed: true });
    expect(again.json).toEqual(first.json);
    expect(await all()).toHaveLength(1);
  });

  it('answers a key with other content by a conflict with both hashes', async () => {
    const [event, other] = [anEvent(), anEvent({ message: 'other' })];
    await record(event, withKey('k', event));
    await expect(record(other, withKey('k', other))).rejects.toMatchObject({
      code: 'idempotency_conflict',
      members: { first_content_hash: contentHash(event), content_hash: contentHash(other) },
    });
    expect(await all()).toHaveLength(1);
  });

  it('takes the caller’s own id, and answers its repeat by the first answer', async () => {
    const event = anEvent({ id: randomUUID() });
    const first = await record(event);
    const again = await record(event);
    expect(first.body.id).toBe(event.id);
    expect([again.json, again.marks]).toEqual([first.json, { replayed: true }]);
    expect(await codeOf(record({ ...event, message: 'other' }))).toBe('idempotency_conflict');
    expect(await codeOf(record({ ...event, occurred_at: '2020-01-01T00:00:00Z' }))).toBe(
      'idempotency_conflict',
    );
    expect(await all()).toHaveLength(1);
  });

  it('lets two projects use the same id and the same key', async () => {
    const event = anEvent({ id: randomUUID() });
    const first = await record(event, withKey('k', event));
    project_id = randomUUID();
    const second = await record({ ...event, message: 'other' }, withKey('k', anEvent()));
    expect([first.marks, second.marks]).toEqual([{}, {}]);
    expect(await all()).toEqual([second.body]);
  });

  it('records each event of a crowd once, however often each is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 }),
        async (plan) => {
          project_id = randomUUID();
          const own_ids = Array.from({ length: 6 }, () => randomUUID());
          const calls = plan.map(([which, keyed, own]) => {
            // An event is always sent in the same way, by key, by id, by both or by neither.
            const event = anEvent({
              message: `${which} ${keyed} ${own}`,
              ...(own && { id: own_ids[which], occurred_at: '2026-01-31T12:00:00Z' }),
            });
            return record(event, keyed ? withKey(event.message, event) : undefined).then(
              ({ body }) => [body],
              ({ code }: Failure) => {
                // An own id comes both with a key and without one, and with another message.
                expect(code).toBe('idempotency_conflict');
                return [];
              },
            );
          });
          const answers = (await Promise.all(calls)).flat();
          const kept = await all();
          expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(kept.map(({ id }) => id)));
          for (const answer of answers) expect(kept).toContainEqual(answer);
          const repeatable = kept.map(({ message }) => message).filter((message) => message.includes('true'));
          expect(new Set(repeatable).size).toBe(repeatable.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('refuses the one event of a frame that the database cannot keep, and records its neighbours', async () => {
    const messages = ['before', 'a\0b', 'after'];
    const codes = await Promise.all(messages.map((message) => codeOf(record(anEvent({ message })))));
    expect(codes).toEqual(['recorded', 'internal', 'recorded']);
    expect((await all()).map(({ message }) => message).sort()).toEqual(['after', 'before']);
  });

  it('is unavailable, and records nothing, while the table is locked for too long', async () => {
    const holder = new Client({ connectionString: service.urls.owner });
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE activity_events.events IN ACCESS EXCLUSIVE MODE');
    expect(await codeOf(record(anEvent()))).toBe('unavailable');
    await holder.query('ROLLBACK');
    await holder.end();
    expect(await all()).toEqual([]);
  });

  it('commits before it answers', async () => {
    const { body } = await record(anEvent());
    const rows = await queryDatabase(service.urls.owner, 'SELECT FROM activity_events.events WHERE id = $1', [
      body.id,
    ]);
    expect(rows).toHaveLength(1);
  });
});
