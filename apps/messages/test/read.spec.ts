import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import {
  deleteMessage,
  getMessage,
  mailboxOf,
  markRead,
  queryConversation,
  queryConversations,
  queryMessageEntries,
  queryMessages,
  type Conversation,
  type Failure,
  type SentMessage,
} from '#contracts';
import { contentHash } from '#database';
import { queryDatabase, rowsRead } from '#testing';
import { newestFirst, Person } from './correspondents.js';
import { startMessages, type Messages } from './start-messages.js';

const DAY_MS = 86_400_000;

describe('reading messages', () => {
  let service: Messages;
  let ada: Person;
  let bob: Person;
  let pump: Person;
  let chief: Person;

  beforeAll(async () => {
    service = await startMessages();
  });
  beforeEach(() => {
    const project_id = randomUUID();
    ada = new Person(service.bus, project_id);
    bob = new Person(service.bus, project_id);
    pump = new Person(service.bus, project_id, 'pump 7/north', 'device');
    chief = new Person(service.bus, project_id, 'chief@example.com', 'admin');
  });
  afterAll(() => service.stop());

  const codeOf = (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => 'done',
      ({ code }: Failure) => code,
    );
  const unread = async (owner: Person, peer: Person): Promise<number | undefined> =>
    (await owner.conversations()).find((one) => one.peer === peer.address)?.unread;

  describe('in lists', () => {
    it('shows everyone what is to or from itself by any filter, and an admin all', async () => {
      const people = [ada, bob, pump, chief];
      const sent: SentMessage[] = [];
      for (const from of people) for (const to of people) sent.push(await from.write(to));
      sent.reverse();
      for (const reader of people) {
        for (const recipient of [undefined, ...people]) {
          for (const sender of [undefined, ...people]) {
            const found = await reader.search({
              recipient: recipient?.correspondent,
              sender: sender?.correspondent,
            });
            const expected = sent.filter(
              (message) =>
                (reader === chief || [message.sender, message.recipient].includes(reader.address)) &&
                (recipient === undefined || message.recipient === recipient.address) &&
                (sender === undefined || message.sender === sender.address),
            );
            expect(found).toEqual(expected);
          }
        }
      }
    });

    it('shows the last thirty days unless told, by a clock that moves on', async () => {
      const first = await ada.write(bob);
      service.clock.forward(29 * DAY_MS);
      const second = await ada.write(bob);
      expect(await bob.search()).toEqual([second, first]);
      service.clock.forward(1 * DAY_MS + 1_000);
      expect(await bob.search()).toEqual([second]);
      expect(await bob.search({ since: first.created_at })).toEqual([second, first]);
      expect(await bob.search({ since: second.created_at })).toEqual([second]);
      service.clock.forward(29 * DAY_MS);
      expect(await bob.search()).toEqual([]);
      expect(await bob.conversation(ada)).toEqual([second, first]);
      expect(await unread(bob, ada)).toBe(2);
    });

    it('shows the days before the first page in all the pages of a walk', async () => {
      const first = await ada.write(bob);
      service.clock.forward(29 * DAY_MS);
      const second = await ada.write(bob);
      const page = (cursor?: string) =>
        service.bus.call(queryMessages, { limit: 1, cursor }, bob.context()).then(({ body }) => body);
      const newest = await page();
      expect(newest.messages).toEqual([second]);
      service.clock.forward(1 * DAY_MS + 1_000);
      const oldest = await page(newest.next_cursor!);
      expect(oldest.messages).toEqual([first]);
      expect(oldest.next_cursor).toBeNull();
    });

    it.each(['asc', 'desc'] as const)(
      'walks past each stable message once, %s, while others write',
      async (order) => {
        const stable: SentMessage[] = [];
        for (let turn = 0; turn < 30; turn += 1) {
          stable.push(
            ...(await Promise.all([ada.write(bob), bob.write(ada), pump.write(ada), chief.write(ada)])),
          );
        }
        const ids = new Set(stable.map(({ id }) => id));
        const seen: SentMessage[] = [];
        for (let cursor: string | undefined; ;) {
          const request = { order, limit: 7, cursor };
          const { body, marks } = await service.bus.call(queryMessages, request, ada.context());
          expect(marks.next_cursor ?? null).toBe(body.next_cursor);
          seen.push(...body.messages);
          if (body.next_cursor === null || seen.length > 400) break;
          cursor = body.next_cursor;
          if (seen.length < 100) await Promise.all([ada.write(bob, 'late'), bob.write(ada, 'late')]);
        }
        const expected = stable.sort(newestFirst);
        if (order === 'asc') expected.reverse();
        expect(seen.filter(({ id }) => ids.has(id))).toEqual(expected);
        expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
      },
    );

    it('finds the few of a reader about a busy device by the fewer, however often it is asked', async () => {
      await queryDatabase(
        service.urls.owner,
        `INSERT INTO messages.messages
           (project_id, id, created_at, sender, recipient, sender_mailbox, recipient_mailbox, message, device_id)
         SELECT $1, gen_random_uuid(), date_trunc('month', now(), 'UTC') + (20000 - n) * interval '1 ms',
           'a@b.co', 'a@b.co', mailbox, mailbox, 'm', CASE WHEN n <= 8000 THEN 'pump ' || n ELSE 'hub' END
         FROM generate_series(1, 20000) AS n,
           LATERAL (SELECT CASE WHEN n <= 100 THEN $2 ELSE 'user:' || n % 20 END AS mailbox) AS held`,
        [ada.project_id, ada.correspondent.mailbox],
      );
      await queryDatabase(service.urls.owner, 'ANALYZE messages.messages');
      const request = { device_id: 'hub', order: 'desc', limit: 100 } as const;
      const rows = await rowsRead(service.urls.service, 'messages.messages', async () => {
        for (let times = 0; times < 10; times += 1) {
          const { body } = await service.bus.call(queryMessageEntries, request, ada.context());
          expect(body.entries).toEqual([]);
        }
      });
      expect(rows).toBeLessThan(10_000);
    });

    it('ends a page of large messages early, and loses none of them', async () => {
      const text = '\u0001'.repeat(4_000);
      const sent = await Promise.all(Array.from({ length: 400 }, () => ada.write(bob, text)));
      const request = { limit: 1000 };
      const first = (await service.bus.call(queryMessages, request, bob.context())).body;
      expect(first.messages.length).toBeLessThan(400);
      const seen = [...first.messages];
      for (let cursor = first.next_cursor; cursor !== null;) {
        const next = (await service.bus.call(queryMessages, { ...request, cursor }, bob.context())).body;
        seen.push(...next.messages);
        cursor = next.next_cursor;
      }
      expect(seen.map(({ id }) => id)).toEqual(sent.sort(newestFirst).map(({ id }) => id));
    });

    it('refuses a cursor that it never gave', async () => {
      for (const contract of [queryMessages, queryConversations]) {
        const call = service.bus.call(contract as typeof queryMessages, { cursor: 'W10' }, ada.context());
        await expect(call).rejects.toMatchObject({ code: 'invalid', errors: [{ pointer: '/cursor' }] });
      }
    });
  });

  describe('one by one', () => {
    it('gives a message to its two ends and to an admin, and to nobody else', async () => {
      const { id } = await ada.write(bob);
      const codes = [ada, bob, chief, pump].map((reader) =>
        codeOf(service.bus.call(getMessage, { id }, reader.context())),
      );
      expect(await Promise.all(codes)).toEqual(['done', 'done', 'done', 'not_found']);
      const stranger = new Person(service.bus, randomUUID(), 'chief@example.com', 'admin');
      expect(await codeOf(service.bus.call(getMessage, { id }, stranger.context()))).toBe('not_found');
      expect(await stranger.search()).toEqual([]);
    });

    it('lets its sender and an admin delete a message, for both', async () => {
      const [first, second] = [await ada.write(bob), await ada.write(bob)];
      const remove = (id: string, by: Person) =>
        codeOf(service.bus.call(deleteMessage, { id }, by.context()));
      expect(await remove(first.id, bob)).toBe('forbidden');
      expect(await remove(first.id, pump)).toBe('not_found');
      expect(await remove(first.id, ada)).toBe('done');
      expect(await remove(first.id, ada)).toBe('not_found');
      expect(await bob.search()).toEqual([second]);
      expect(await remove(second.id, chief)).toBe('done');
      for (const one of [ada, bob]) {
        expect([await one.search(), await one.conversations()]).toEqual([[], []]);
      }
    });

    it('deletes a message only in the version that is expected, which is its id', async () => {
      const message = await ada.write(bob);
      const remove = (...if_match: string[]) =>
        codeOf(service.bus.call(deleteMessage, { id: message.id, if_match }, ada.context()));
      expect(await remove(randomUUID(), randomUUID())).toBe('precondition_failed');
      expect(await bob.search()).toEqual([message]);
      expect(await remove(randomUUID(), message.id)).toBe('done');
      const other = await ada.write(bob);
      const call = service.bus.call(deleteMessage, { id: other.id, if_match: ['*'] }, ada.context());
      expect(await codeOf(call)).toBe('done');
    });

    it('has no mailbox in any answer', async () => {
      await ada.write(bob);
      const answers = [await chief.search(), await bob.conversations(), await bob.conversation(ada)];
      expect(JSON.stringify(answers)).not.toContain(ada.principal);
      expect(JSON.stringify(answers)).not.toContain(bob.principal);
    });
  });

  describe('in conversations', () => {
    it('shows each with its last message, newest first, and what is unread', async () => {
      await ada.write(bob);
      const toPump = await ada.write(pump);
      const fromBob = await bob.write(ada);
      expect(await ada.conversations()).toEqual([
        { peer: bob.address, last_message: fromBob, unread: 1 },
        { peer: pump.address, last_message: toPump, unread: 0 },
      ]);
      expect(await pump.conversations()).toEqual([{ peer: ada.address, last_message: toPump, unread: 1 }]);
      expect(await chief.conversations()).toEqual([]);
    });

    it.each(['asc', 'desc'] as const)(
      'shows each once in one page, %s, while all of them move',
      async (order) => {
        const peers = Array.from({ length: 300 }, () => new Person(service.bus, ada.project_id));
        await Promise.all(peers.map((peer) => peer.write(ada)));
        let isOver = false;
        const write = async (first: number): Promise<void> => {
          for (let turn = first; !isOver; turn += 97) await peers[turn % peers.length]!.write(ada);
        };
        const writing = [0, 50, 100].map(write);
        const pages: Conversation[][] = [];
        while (pages.length < 20) {
          const { body } = await service.bus.call(queryConversations, { order, limit: 500 }, ada.context());
          pages.push(body.conversations);
        }
        isOver = true;
        await Promise.all(writing);
        const addresses = peers.map(({ address }) => address).sort();
        for (const page of pages) expect(page.map(({ peer }) => peer).sort()).toEqual(addresses);
      },
    );

    it('walks past each once, in both orders', async () => {
      const peers = Array.from({ length: 25 }, () => new Person(service.bus, ada.project_id));
      await Promise.all(peers.map((peer) => peer.write(ada)));
      for (const order of ['asc', 'desc'] as const) {
        const seen: Conversation[] = [];
        for (let cursor: string | undefined; ;) {
          const request = { order, limit: 4, cursor };
          const { body } = await service.bus.call(queryConversations, request, ada.context());
          seen.push(...body.conversations);
          if (body.next_cursor === null) break;
          cursor = body.next_cursor;
        }
        const lasts = seen.map(({ last_message }) => last_message);
        const sorted = lasts.toSorted(newestFirst);
        expect(lasts).toEqual(order === 'asc' ? sorted.reverse() : sorted);
        expect(new Set(seen.map(({ peer }) => peer))).toEqual(new Set(peers.map(({ address }) => address)));
      }
    });

    it('pages both ways from any message', async () => {
      const sent: SentMessage[] = [];
      for (let turn = 0; turn < 20; turn += 1) {
        sent.push(await (turn % 2 ? ada.write(bob) : bob.write(ada)));
        await pump.write(ada);
      }
      await fc.assert(
        fc.asyncProperty(
          fc.option(fc.nat(19), { nil: undefined }),
          fc.option(fc.nat(19), { nil: undefined }),
          fc.constantFrom('asc' as const, 'desc' as const),
          fc.integer({ min: 1, max: 25 }),
          async (before, after, order, limit) => {
            const range = {
              before: before === undefined ? undefined : sent[before]!.id,
              after: after === undefined ? undefined : sent[after]!.id,
            };
            const seen: SentMessage[] = [];
            for (let cursor: string | undefined; ;) {
              const request = { ...range, order, limit, cursor, peer: bob.correspondent };
              const { body } = await service.bus.call(queryConversation, request, ada.context());
              seen.push(...body.messages);
              if (body.next_cursor === null) break;
              cursor = body.next_cursor;
            }
            const expected = sent.slice((after ?? -1) + 1, Math.max(before ?? 20, (after ?? -1) + 1));
            expect(seen).toEqual(order === 'asc' ? expected : expected.reverse());
          },
        ),
        { numRuns: 60 },
      );
    });

    it.each(['asc', 'desc'] as const)(
      'walks on (%s) though its anchors are deleted meanwhile',
      async (order) => {
        const sent: SentMessage[] = [];
        for (let turn = 0; turn < 6; turn += 1) sent.push(await ada.write(bob));
        const [after, before] = [sent[0]!.id, sent[5]!.id];
        const seen: SentMessage[] = [];
        for (let cursor: string | undefined; ;) {
          const request = { before, after, order, limit: 2, cursor, peer: bob.correspondent };
          const { body } = await service.bus.call(queryConversation, request, ada.context());
          seen.push(...body.messages);
          if (body.next_cursor === null) break;
          if (cursor === undefined) {
            for (const id of [after, before]) await service.bus.call(deleteMessage, { id }, ada.context());
          }
          cursor = body.next_cursor;
        }
        const expected = sent.slice(1, 5);
        expect(seen).toEqual(order === 'asc' ? expected : expected.reverse());
      },
    );

    it('takes no anchor and no horizon from elsewhere', async () => {
      await ada.write(bob);
      const { id } = await pump.write(bob);
      for (const elsewhere of [id, randomUUID()]) {
        expect(await codeOf(ada.conversation(bob, { before: elsewhere }))).toBe('not_found');
        expect(await codeOf(ada.conversation(bob, { after: elsewhere }))).toBe('not_found');
        expect(await codeOf(ada.read(bob, elsewhere))).toBe('not_found');
      }
      expect(await codeOf(ada.read(pump, new Date().toISOString()))).toBe('not_found');
    });

    it('is empty with a peer who is there, and not found with one who is not', async () => {
      expect(await ada.conversation(bob)).toEqual([]);
      const call = service.bus.call(queryConversation, { peer: { address: 'nobody' } }, ada.context());
      expect(await codeOf(call)).toBe('not_found');
    });

    it('can be had with oneself', async () => {
      const note = await ada.write(ada);
      expect(await ada.conversations()).toEqual([{ peer: ada.address, last_message: note, unread: 1 }]);
      expect(await ada.conversation(ada)).toEqual([note]);
      expect(await ada.search()).toEqual([note]);
      expect((await ada.read(ada, note.id)).unread).toBe(0);
    });

    it('stays readable under the address of one who is gone', async () => {
      const sent = await bob.write(ada);
      const gone = { address: bob.address.toUpperCase() };
      const conversation = await service.bus.call(queryConversation, { peer: gone }, ada.context());
      expect(conversation.body.messages).toEqual([sent]);
      expect(await ada.search({ sender: gone })).toEqual([sent]);
      expect(await pump.search({ sender: gone })).toEqual([]);
    });

    it('stays readable under the very id of a device that is gone, and under no other case of it', async () => {
      const sent = await pump.write(ada);
      const gone = { address: pump.address };
      const conversation = await service.bus.call(queryConversation, { peer: gone }, ada.context());
      expect(conversation.body.messages).toEqual([sent]);
      const other = { address: pump.address.toUpperCase() };
      const call = service.bus.call(queryConversation, { peer: other }, ada.context());
      expect(await codeOf(call)).toBe('not_found');
      expect(await ada.search({ sender: other })).toEqual([]);
    });

    it('goes with a member through a change of address, and never to who has the address next', async () => {
      const sent = await ada.write(bob);
      const next = new Person(service.bus, bob.project_id, bob.address);
      expect([await next.search(), await next.conversations()]).toEqual([[], []]);
      const moved = { ...bob.context().caller, address: 'bob@elsewhere.example' };
      const found = await service.bus.call(queryMessages, {}, { ...bob.context(), caller: moved });
      expect(found.body.messages).toEqual([sent]);
    });
  });

  describe('behind a horizon', () => {
    it('counts as unread exactly the messages of the list that came after it', async () => {
      const [one, two, three] = [await bob.write(ada), await bob.write(ada), await bob.write(ada)];
      const own = await ada.write(bob);
      expect(await unread(ada, bob)).toBe(3);
      expect(await ada.read(bob, two.id)).toEqual({ peer: bob.address, last_message: own, unread: 1 });
      expect((await ada.read(bob, one.id)).unread).toBe(1);
      expect((await ada.read(bob, '2020-01-01T00:00:00Z')).unread).toBe(1);
      expect((await ada.read(bob, three.created_at)).unread).toBe(0);
      expect(await unread(bob, ada)).toBe(1);
      expect((await bob.read(ada, own.id)).unread).toBe(0);
    });

    it('leaves unread what arrives after a time to come was named', async () => {
      await bob.write(ada);
      expect((await ada.read(bob, '9999-01-01T00:00:00Z')).unread).toBe(0);
      await bob.write(ada);
      expect(await unread(ada, bob)).toBe(1);
    });

    it('is counted from, and what was read before it is not read again', async () => {
      for (let hundred = 0; hundred < 20; hundred += 1)
        await Promise.all(Array.from({ length: 100 }, () => bob.write(ada)));
      await ada.read(bob, (await bob.write(ada)).id);
      const last = await bob.write(ada);
      await queryDatabase(service.urls.owner, 'ANALYZE messages.messages, messages.conversations');
      const rows = await rowsRead(service.urls.service, 'messages.messages', async () => {
        for (let times = 0; times < 10; times += 1) expect(await unread(ada, bob)).toBe(1);
        for (let times = 0; times < 10; times += 1) expect((await ada.read(bob, last.id)).unread).toBe(0);
      });
      expect(rows).toBeLessThan(1_000);
    });

    it('counts no message that was deleted', async () => {
      const [one, two] = [await bob.write(ada), await bob.write(ada)];
      await service.bus.call(deleteMessage, { id: two.id }, bob.context());
      expect(await ada.conversations()).toEqual([{ peer: bob.address, last_message: one, unread: 1 }]);
    });

    it('answers a repeat of a key by the first answer, and another caller’s by a conflict', async () => {
      const [one, two] = [await bob.write(ada), await bob.write(ada)];
      const key = { idempotency: { route: 'POST read', key: 'k', content_hash: contentHash(one.id) } };
      const mark = (by: Person, peer: Person, up_to: string) =>
        service.bus.call(markRead, { peer: peer.correspondent, up_to }, by.context(key));
      const first = await mark(ada, bob, one.id);
      await ada.read(bob, two.id);
      const again = await mark(ada, bob, one.id);
      expect([first.body.unread, again.json, again.marks]).toEqual([1, first.json, { replayed: true }]);
      expect(await codeOf(mark(bob, ada, one.id))).toBe('idempotency_conflict');
    });

    it('lets the list and the number agree, also while messages arrive and horizons move', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(fc.constantFrom('send', 'reply', 'read', 'delete', 'look'), fc.nat(50)), {
            minLength: 5,
            maxLength: 60,
          }),
          async (plan) => {
            const project_id = randomUUID();
            const [reader, writer] = [
              new Person(service.bus, project_id),
              new Person(service.bus, project_id),
            ];
            await writer.write(reader);
            const acts = {
              send: () => writer.write(reader),
              reply: () => reader.write(writer),
              read: async (which: number) => {
                const messages = await reader.conversation(writer);
                const one = messages[which % messages.length];
                if (one) await codeOf(reader.read(writer, one.id));
              },
              delete: async (which: number) => {
                const messages = await writer.search({ sender: writer.correspondent });
                const one = messages[which % messages.length];
                if (one) await codeOf(service.bus.call(deleteMessage, { id: one.id }, writer.context()));
              },
              look: async () => {
                const [conversation] = await reader.conversations();
                const { unread: number = 0 } = conversation ?? {};
                expect(number).toBeGreaterThanOrEqual(0);
                expect(number).toBeLessThanOrEqual(plan.length + 1);
              },
            };
            await Promise.all(plan.map(([act, which]) => acts[act](which)));
            const [conversation] = await reader.conversations();
            const all = await reader.conversation(writer);
            const [horizon] = await queryDatabase<{ read_at: Date | null; read_id: string }>(
              service.urls.owner,
              'SELECT read_at, read_id FROM messages.conversations WHERE project_id = $1 AND owner = $2',
              [project_id, mailboxOf(reader)],
            );
            const place = horizon!.read_at ? horizon!.read_at.toISOString() + horizon!.read_id : '';
            const behind = all.filter(
              ({ sender, created_at, id }) => sender === writer.address && created_at + id > place,
            );
            expect(conversation?.unread ?? 0).toBe(behind.length);
            expect(conversation?.last_message).toEqual(all[0]);
          },
        ),
        { numRuns: 25 },
      );
    });

    it('never reads away a message that had not arrived when the horizon moved', async () => {
      let known = 0;
      const arriving = Array.from({ length: 60 }, () => bob.write(ada));
      const reading = (async () => {
        for (let turn = 0; turn < 20; turn += 1) {
          const seen = await ada.conversation(bob);
          if (!seen[0]) continue;
          await ada.read(bob, seen[0].id);
          known = Math.max(known, seen.length);
        }
      })();
      await Promise.all([...arriving, reading]);
      expect(await unread(ada, bob)).toBe(60 - known);
    });
  });
});
