import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { Client } from 'pg';
import {
  deleteMessage,
  getMessage,
  sendMessage,
  type CallContext,
  type Failure,
  type NewMessage,
} from '#contracts';
import { contentHash } from '#database';
import { queryDatabase } from '#testing';
import { Clock } from '../src/clock.js';
import { newestFirst, Person } from './correspondents.js';
import { startMessages, type Messages } from './start-messages.js';

describe('sending messages', () => {
  let service: Messages;
  let ada: Person;
  let bob: Person;

  beforeAll(async () => {
    service = await startMessages();
  });
  beforeEach(() => {
    const project_id = randomUUID();
    ada = new Person(service.bus, project_id);
    bob = new Person(service.bus, project_id);
  });
  afterAll(() => service.stop());

  const keyed = (key: string, content: unknown): Partial<CallContext> => ({
    idempotency: { route: 'POST /v1/messages', key, content_hash: contentHash(content) },
  });
  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'sent',
      ({ code }: Failure) => code,
    );

  it('answers the message with its id and its time, and keeps exactly that', async () => {
    const { body, marks } = await ada.send(bob.correspondent, {
      message: 'Hello',
      device_id: 'pump 7/north',
    });
    expect(body).toEqual({
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      sender: ada.address,
      recipient: bob.address,
      message: 'Hello',
      device_id: 'pump 7/north',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(marks).toEqual({});
    const found = await service.bus.call(getMessage, { id: body.id }, bob.context());
    expect(found.body).toEqual(body);
    expect(found.marks).toEqual({ version: body.id });
  });

  it('keeps any text as it was sent', async () => {
    const storable = fc
      .string({ unit: 'binary', minLength: 1 })
      .filter((text) => text.isWellFormed() && !text.includes('\0'));
    const texts = fc.oneof(
      storable,
      fc.constantFrom(' ', '\n', 'e\u0301', '👩🏽‍🚀🏳️‍🌈', 'שלום \u202e עולם', '𝕏'.repeat(4_000)),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const { id, message } = await ada.write(bob, text);
        expect(message).toBe(text);
        expect((await service.bus.call(getMessage, { id }, bob.context())).body.message).toBe(text);
      }),
      { numRuns: 60 },
    );
  });

  it('answers a repeat of a key by the first answer, and sends no second message', async () => {
    const first = await ada.send(bob.correspondent, {}, keyed('k', 'a'));
    const again = await ada.send(bob.correspondent, {}, keyed('k', 'a'));
    expect([first.marks, again.marks]).toEqual([{}, { replayed: true }]);
    expect(again.json).toEqual(first.json);
    expect(await codeOf(ada.send(bob.correspondent, {}, keyed('k', 'b')))).toBe('idempotency_conflict');
    expect(await ada.search()).toEqual([first.body]);
  });

  it('never answers one sender’s key by what another sent', async () => {
    await ada.send(bob.correspondent, {}, keyed('k', 'a'));
    expect(await codeOf(bob.send(bob.correspondent, {}, keyed('k', 'a')))).toBe('idempotency_conflict');
  });

  it('takes the sender’s own id, in any case, and answers its repeat by the first answer', async () => {
    const id = randomUUID();
    const first = await ada.send(bob.correspondent, {}, { id: id.toUpperCase() });
    const again = await ada.send(bob.correspondent, {}, { id });
    expect(first.body.id).toBe(id);
    expect([again.json, again.marks]).toEqual([first.json, { replayed: true }]);
    expect(await codeOf(ada.send(bob.correspondent, { message: 'other' }, { id }))).toBe(
      'idempotency_conflict',
    );
    expect(await codeOf(bob.send(bob.correspondent, {}, { id }))).toBe('idempotency_conflict');
    expect(await ada.search()).toEqual([first.body]);
  });

  it('refuses an own id that is a message already, and another project may use it', async () => {
    const { id } = await ada.write(bob);
    expect(await codeOf(bob.send(ada.correspondent, {}, { id }))).toBe('conflict');
    const [eve, mallory] = [randomUUID()].flatMap((project) => [
      new Person(service.bus, project),
      new Person(service.bus, project),
    ]);
    expect(await codeOf(eve!.send(mallory!.correspondent, {}, { id }))).toBe('sent');
    expect((await ada.search()).map((message) => message.id)).toEqual([id]);
  });

  it('sends nothing to an address that nobody has, and remembers nothing of it', async () => {
    const nobody = { address: 'nobody@example.com' };
    const id = randomUUID();
    for (const kind of [{}, keyed('k', 'a'), { id }, { id, ...keyed('k', 'a') }]) {
      expect(await codeOf(ada.send(nobody, {}, kind))).toBe('unknown_recipient');
    }
    const crowd = await Promise.all(
      Array.from({ length: 20 }, () => codeOf(ada.send(nobody, {}, keyed('k', 'a')))),
    );
    expect(new Set(crowd)).toEqual(new Set(['unknown_recipient']));
    expect(await codeOf(ada.send(bob.correspondent, {}, { id, ...keyed('k', 'a') }))).toBe('sent');
  });

  it('answers a repeat by the first answer though the recipient is gone', async () => {
    const gone = { address: bob.address };
    const id = randomUUID();
    const first = await ada.send(bob.correspondent, {}, { id, ...keyed('k', 'a') });
    for (const kind of [keyed('k', 'a'), { id }]) {
      const again = await ada.send(gone, {}, kind);
      expect([again.json, again.marks]).toEqual([first.json, { replayed: true }]);
    }
    expect(await codeOf(ada.send(gone, {}, keyed('k', 'b')))).toBe('idempotency_conflict');
  });

  it('sends in the name of nobody unknown, and says so to an admin alone', async () => {
    const from = { address: 'nobody@example.com' };
    const admin = new Person(service.bus, ada.project_id, undefined, 'admin');
    const call = admin.send(bob.correspondent, {}, { from });
    await expect(call).rejects.toMatchObject({ code: 'invalid', errors: [{ pointer: '/sender' }] });
    expect(await codeOf(ada.send(bob.correspondent, {}, { from }))).toBe('forbidden');
    expect(await ada.search()).toEqual([]);
  });

  it('answers a repeat by the first answer though its sender may no longer send as that', async () => {
    const from = { address: ada.address };
    const id = randomUUID();
    const first = await ada.send(bob.correspondent, {}, { id, ...keyed('k', 'a') });
    for (const kind of [keyed('k', 'a'), { id }]) {
      const again = await ada.send(bob.correspondent, {}, { ...kind, from });
      expect([again.json, again.marks]).toEqual([first.json, { replayed: true }]);
    }
  });

  it('sends each message of a crowd once, however often each is repeated, in both directions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(5), fc.boolean(), fc.boolean(), fc.boolean()), {
          minLength: 1,
          maxLength: 60,
        }),
        async (plan) => {
          const project_id = randomUUID();
          const people = [new Person(service.bus, project_id), new Person(service.bus, project_id)];
          const own_ids = new Map<string, string>();
          const calls = plan.map(([which, hasKey, hasId, back]) => {
            // A message is always sent in the same way, by key, by id, by both or by neither.
            const message = [which, hasKey && 'key', hasId && 'id', back && 'back'].filter(Boolean).join(' ');
            const id = own_ids.get(message) ?? randomUUID();
            own_ids.set(message, id);
            const [from, to] = back ? [people[1]!, people[0]!] : [people[0]!, people[1]!];
            const kind = { ...(hasId && { id }), ...(hasKey && keyed(message, message)) };
            return from.send(to.correspondent, { message }, kind).then(({ body }) => body);
          });
          const answers = await Promise.all(calls);
          const kept = await people[0]!.search();
          expect(new Set(answers.map(({ id }) => id))).toEqual(new Set(kept.map(({ id }) => id)));
          for (const answer of answers) expect(kept).toContainEqual(answer);
          const repeatable = kept.map(({ message }) => message).filter((message) => /key|id/.test(message));
          expect(new Set(repeatable).size).toBe(repeatable.length);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('puts each message after those it follows, though the clocks of replicas disagree', async () => {
    const slow = new (class extends Clock {
      override now = () => new Date(Date.now() - 60_000);
    })();
    const replica = await service.anotherReplica(slow);
    const sent = [];
    for (let turn = 0; turn < 40; turn += 1) {
      const [from, to] = turn % 2 ? [ada, bob] : [bob, ada];
      const kind = turn % 3 ? {} : { id: randomUUID(), ...keyed(`k${turn}`, turn) };
      sent.push((await from.send(to.correspondent, {}, kind)).body);
      if (turn % 3 === 0) {
        const again = await from.send(to.correspondent, {}, kind);
        expect(again.body).toEqual(sent.at(-1));
      }
    }
    await replica.stop();
    expect(await ada.conversation(bob, { order: 'asc' })).toEqual(sent);
    expect(sent.toSorted(newestFirst)).toEqual(sent.toReversed());
  });

  it('sends between many at once in all directions, without a deadlock', async () => {
    const replica = await service.anotherReplica(new Clock());
    const people = Array.from({ length: 8 }, () => new Person(service.bus, ada.project_id));
    const pairs = people.flatMap((from) => people.map((to) => [from, to] as const));
    const sendAndDelete = async ([from, to]: (typeof pairs)[number], index: number) => {
      const { body } = await from.send(to.correspondent, {}, index % 2 ? { id: randomUUID() } : {});
      if (index % 3 === 0) await service.bus.call(deleteMessage, { id: body.id }, from.context());
      return { ...body, isDeleted: index % 3 === 0 };
    };
    // Five times 64, not 320: the deletions of all would wait longer for a connection than a busy machine lets them.
    const messages = [];
    for (let round = 0; round < 5; round += 1)
      messages.push(...(await Promise.all(pairs.map(sendAndDelete))));
    await replica.stop();
    for (const one of people) {
      const own = messages.filter(
        ({ isDeleted, ...message }) =>
          !isDeleted && (message.sender === one.address || message.recipient === one.address),
      );
      const seen = await one.search();
      expect(seen.map(({ id }) => id)).toEqual(own.sort(newestFirst).map(({ id }) => id));
    }
  });

  it('refuses the one message of a frame that the database cannot keep, and sends its neighbours', async () => {
    const messages = ['before', 'a\0b', 'after'];
    const codes = await Promise.all(
      messages.map((message) => codeOf(ada.send(bob.correspondent, { message }))),
    );
    expect(codes).toEqual(['sent', 'internal', 'sent']);
    expect((await ada.search()).map(({ message }) => message).sort()).toEqual(['after', 'before']);
  });

  it('is unavailable, and sends nothing, while the table is locked for too long', async () => {
    const holder = new Client({ connectionString: service.urls.owner });
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE messages.messages IN ACCESS EXCLUSIVE MODE');
    expect(await codeOf(ada.write(bob))).toBe('unavailable');
    await holder.query('ROLLBACK');
    await holder.end();
    expect(await ada.search()).toEqual([]);
    expect(await ada.conversations()).toEqual([]);
  });

  it('commits before it answers', async () => {
    const { id } = await ada.write(bob);
    const sql = 'SELECT FROM messages.messages WHERE project_id = $1 AND id = $2';
    expect(await queryDatabase(service.urls.owner, sql, [ada.project_id, id])).toHaveLength(1);
  });

  it('keeps one project’s messages from the other, whatever is equal in both', async () => {
    const content: NewMessage = { recipient: bob.address, message: 'secret' };
    const id = randomUUID();
    await ada.send(bob.correspondent, content, { id, ...keyed('k', 'a') });
    const stranger = { ...ada.context().caller, project_id: randomUUID() };
    const request = { id, from: ada.correspondent, to: bob.correspondent, content };
    const { marks } = await service.bus.call(sendMessage, request, {
      ...ada.context(keyed('k', 'a')),
      caller: stranger,
    });
    expect(marks).toEqual({});
  });
});
