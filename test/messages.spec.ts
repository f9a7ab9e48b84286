import { randomUUID } from 'node:crypto';
import { MAX_UUID } from '#contracts';
import { type Answer, type HttpClient } from './http-client.js';
import { startSystem, type System } from './system.js';

interface Party {
  address: string;
  id: string;
  client: HttpClient;
}

interface Project {
  admin: HttpClient;
  ada: Party;
  bob: Party;
  vera: Party;
  pump: Party;
}

const UUID_V7 = /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/;

describe('messages', () => {
  let system: System;
  let project: Project;

  beforeAll(async () => {
    system = await startSystem();
  });
  beforeEach(async () => {
    project = await aProject();
  });
  afterAll(() => system.stop());

  const aMember = async (admin: HttpClient, role = 'editor', name = 'Ada'): Promise<Party> => {
    const { body } = await admin.post('/v1/members', { email: `${name}.${randomUUID()}@Example.com`, role });
    return { address: body.email as string, id: body.id as string, client: admin.as(body.key as string) };
  };
  const aDevice = async (admin: HttpClient, id = 'pump 7/north *>.ü'): Promise<Party> => {
    const { body } = await admin.post('/v1/devices', { id });
    return { address: id, id, client: admin.as(body.key as string) };
  };
  const aProject = async (): Promise<Project> => {
    const { body } = await system.operator.post('/v1/projects', { name: 'north' });
    const admin = system.operator.as(body.admin_key as string);
    const [ada, bob, vera, pump] = await Promise.all([
      aMember(admin),
      aMember(admin, 'editor', 'Bob'),
      aMember(admin, 'viewer', 'Vera'),
      aDevice(admin),
    ]);
    return { admin, ada, bob, vera, pump };
  };
  const send = (from: Party, to: Party, message = 'Close valve 3'): Promise<Answer> =>
    from.client.post('/v1/messages', { recipient: to.address, message });
  const conversationWith = ({ address }: Party): string => `/v1/conversations/${encodeURIComponent(address)}`;
  const inbox = async ({ client, address }: Party): Promise<unknown[]> => {
    const { body } = await client.get(`/v1/messages?recipient=${encodeURIComponent(address)}`);
    return body.messages as unknown[];
  };

  describe('sent', () => {
    it('are found again by both, as they were answered', async () => {
      const { ada, bob } = project;
      const sent = await send(ada, bob);
      expect(sent.status).toBe(201);
      expect(sent.body).toEqual({
        id: expect.stringMatching(UUID_V7),
        sender: ada.address,
        recipient: bob.address,
        message: 'Close valve 3',
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      for (const { client } of [ada, bob]) {
        expect((await client.get('/v1/messages')).body).toEqual({ messages: [sent.body], next_cursor: null });
        expect((await client.get(`/v1/messages/${sent.body.id}`)).body).toEqual(sent.body);
      }
    });

    it('to a fresh recipient both come back, the newer first', async () => {
      const fresh = await aMember(project.admin);
      const first = await send(project.ada, fresh, 'one');
      const second = await send(project.bob, fresh, 'two');
      expect(await inbox(fresh)).toEqual([second.body, first.body]);
    });

    it('reach a member by its address in any case, and keep the member’s own spelling', async () => {
      const { ada, bob } = project;
      const sent = await ada.client.post('/v1/messages', {
        recipient: bob.address.toUpperCase(),
        message: 'Hello',
      });
      expect(sent.body).toMatchObject({ recipient: bob.address, sender: ada.address });
      const found = await bob.client.get(`/v1/messages?sender=${ada.address.toLowerCase()}`);
      expect(found.body.messages).toEqual([sent.body]);
    });

    it('reach a device, which answers and reads with its own key', async () => {
      const { ada, pump } = project;
      const command = await send(ada, pump);
      expect(await inbox(pump)).toEqual([command.body]);
      const answer = await send(pump, ada, 'Closed');
      expect(answer.body).toMatchObject({ sender: pump.address, recipient: ada.address });
      const path = conversationWith(ada);
      expect((await pump.client.get(path)).body.messages).toEqual([answer.body, command.body]);
      const read = await pump.client.post(`${path}/read`, { up_to: command.body.id as string });
      expect([read.status, read.body.unread]).toEqual([200, 0]);
    });

    it.each([
      ['a combining mark', 'e\u0301'],
      ['an emoji sequence', '👩🏽‍🚀🏳️‍🌈'],
      ['right to left', 'שלום \u202eעולם'],
      ['blanks alone', ' \n\t'],
      ['4,000 astral characters', '𝕏'.repeat(4_000)],
    ])('keep %s', async (_, message) => {
      const { ada, bob } = project;
      const sent = await send(ada, bob, message);
      expect([sent.status, sent.body.message]).toEqual([201, message]);
      expect(await inbox(bob)).toEqual([sent.body]);
    });

    it('about a device register it when it is not known', async () => {
      const { ada, bob } = project;
      const content = { recipient: bob.address, message: 'Look', device_id: 'valve 3' };
      expect((await ada.client.post('/v1/messages', content)).body).toMatchObject(content);
      expect((await ada.client.get('/v1/devices/valve%203')).status).toBe(200);
    });

    it('to an address that nobody here has are refused, and register nothing', async () => {
      const { ada } = project;
      const strangers = await aProject();
      for (const recipient of ['nobody@example.com', 'no pump', strangers.bob.address]) {
        const content = { recipient, message: 'Hello', device_id: 'new' };
        const refused = await ada.client.post('/v1/messages', content);
        expect([refused.status, refused.body.code]).toEqual([404, 'unknown_recipient']);
        expect(await inbox(strangers.bob)).toEqual([]);
      }
      expect((await ada.client.get('/v1/devices/new')).status).toBe(404);
    });

    it('to one who was removed are refused at once, on every gateway', async () => {
      const { admin, ada, bob, pump } = project;
      const other = await system.anotherGateway();
      await Promise.all([send(ada, bob), send(ada, pump)]);
      await ada.client.at(other.url).post('/v1/messages', { recipient: bob.address, message: 'Hello' });
      await admin.delete(`/v1/members/${bob.id}`);
      await admin.delete(`/v1/devices/${encodeURIComponent(pump.id)}`);
      for (const gateway of [ada.client, ada.client.at(other.url)]) {
        for (const { address } of [bob, pump]) {
          const refused = await gateway.post('/v1/messages', { recipient: address, message: 'Hello' });
          expect([refused.status, refused.body.code]).toEqual([404, 'unknown_recipient']);
        }
      }
      await other.stop();
    });

    it('have the caller as their sender, whom only an admin may choose', async () => {
      const { admin, ada, bob, pump } = project;
      const as = (client: HttpClient, sender: string) =>
        client.post('/v1/messages', { recipient: bob.address, message: 'Hello', sender });
      for (const spoofed of [as(ada.client, bob.address), as(pump.client, ada.address)]) {
        expect(await spoofed).toMatchObject({ status: 403, body: { code: 'forbidden' } });
      }
      expect((await as(ada.client, 'nobody@example.com')).status).toBe(403);
      expect((await as(ada.client, ada.address.toUpperCase())).body.sender).toBe(ada.address);
      expect((await as(pump.client, pump.address)).body.sender).toBe(pump.address);
      expect((await as(admin, pump.address)).body.sender).toBe(pump.address);
      expect(await as(admin, 'nobody@example.com')).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/sender' }] },
      });
      expect(await inbox(bob)).toHaveLength(3);
    });

    it('by a device are about itself', async () => {
      const { ada, pump } = project;
      const content = { recipient: ada.address, message: 'Hello' };
      const about = (device_id: string) => pump.client.post('/v1/messages', { ...content, device_id });
      expect((await about('another')).status).toBe(403);
      expect((await about(pump.id)).status).toBe(201);
    });
  });

  describe('repeated', () => {
    const content = () => ({ recipient: project.bob.address, message: 'Once' });

    it('with a key are answered by the first answer', async () => {
      const { client } = project.ada;
      const key = { 'idempotency-key': 'k' };
      const first = await client.post('/v1/messages', content(), key);
      const again = await client.post('/v1/messages', content(), key);
      expect([first.status, again.status]).toEqual([201, 201]);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      const other = await client.post('/v1/messages', { ...content(), message: 'Twice' }, key);
      expect(other).toMatchObject({ status: 409, body: { code: 'idempotency_conflict' } });
      expect(other.body).toMatchObject({
        first_content_hash: expect.stringMatching(/^[\da-f]{64}$/),
        content_hash: expect.stringMatching(/^[\da-f]{64}$/),
      });
      expect(await inbox(project.bob)).toEqual([first.body]);
    });

    it('with the sender’s own id are sent once, by any number of connections at once', async () => {
      const { ada, bob } = project;
      const other = await system.anotherGateway();
      const id = randomUUID();
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          ada.client.at(index % 2 ? other.url : system.url).send('PUT', `/v1/messages/${id}`, content()),
        ),
      );
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(59);
      for (const { body } of answers) expect(body).toEqual({ ...answers[0]!.body, id });
      expect(await inbox(bob)).toEqual([answers[0]!.body]);
      const changed = await ada.client.send('PUT', `/v1/messages/${id}`, { ...content(), message: 'Twice' });
      expect([changed.status, changed.body.code]).toEqual([409, 'idempotency_conflict']);
      expect((await bob.client.send('PUT', `/v1/messages/${id}`, content())).status).toBe(409);
      await other.stop();
    });

    it('under the id of another message are refused', async () => {
      const { ada, bob } = project;
      const { body } = await send(ada, bob);
      const taken = await ada.client.send('PUT', `/v1/messages/${body.id as string}`, content());
      expect([taken.status, taken.body.code]).toEqual([409, 'conflict']);
      expect(await inbox(bob)).toEqual([body]);
    });

    it('are answered by the first answer though the recipient is gone', async () => {
      const { admin, ada, bob } = project;
      const key = { 'idempotency-key': 'k' };
      const path = `/v1/messages/${randomUUID()}`;
      const posted = await ada.client.post('/v1/messages', content(), key);
      const put = await ada.client.send('PUT', path, content());
      await admin.delete(`/v1/members/${bob.id}`);
      expect((await ada.client.post('/v1/messages', content(), key)).body).toEqual(posted.body);
      expect((await ada.client.send('PUT', path, content())).body).toEqual(put.body);
    });

    it('are answered by the first answer though the sender has another address by now', async () => {
      const { admin, ada } = project;
      const key = { 'idempotency-key': 'k' };
      const path = `/v1/messages/${randomUUID()}`;
      const named = { ...content(), sender: ada.address };
      const posted = await ada.client.post('/v1/messages', named, key);
      const put = await ada.client.send('PUT', path, named);
      await admin.patch(`/v1/members/${ada.id}`, { email: `${randomUUID()}@example.com` });
      const [postedAgain, putAgain] = [
        await ada.client.post('/v1/messages', named, key),
        await ada.client.send('PUT', path, named),
      ];
      expect([postedAgain.status, postedAgain.body]).toEqual([201, posted.body]);
      expect([putAgain.status, putAgain.body]).toEqual([200, put.body]);
      expect((await ada.client.post('/v1/messages', named)).status).toBe(403);
    });
  });

  describe('badly asked for', () => {
    it.each([
      ['/recipient', { message: 'm' }],
      ['/recipient', { recipient: '', message: 'm' }],
      ['/recipient', { recipient: 'a\nb', message: 'm' }],
      ['/recipient', { recipient: 'x'.repeat(129), message: 'm' }],
      ['/recipient', { recipient: 7, message: 'm' }],
      ['/message', { recipient: 'bob' }],
      ['/message', { recipient: 'bob', message: '' }],
      ['/message', { recipient: 'bob', message: null }],
      ['/message', { recipient: 'bob', message: 'x'.repeat(4_001) }],
      ['/message', { recipient: 'bob', message: '𝕏'.repeat(4_001) }],
      ['/sender', { recipient: 'bob', message: 'm', sender: '' }],
      ['/device_id', { recipient: 'bob', message: 'm', device_id: 'a\tb' }],
      ['', { recipient: 'bob', message: 'a\u0000b' }],
      ['', { recipient: 'bob', message: '\ud83d' }],
      ['/id', { recipient: 'bob', message: 'm', id: randomUUID() }],
      ['/project_id', { recipient: 'bob', message: 'm', project_id: randomUUID() }],
    ])('name %s, case %#', async (pointer, body) => {
      const { ada, bob } = project;
      const { recipient } = body as { recipient?: unknown };
      const sent = { ...body, ...(recipient === 'bob' && { recipient: bob.address }) };
      for (const refused of [
        await ada.client.post('/v1/messages', sent),
        await ada.client.send('PUT', `/v1/messages/${randomUUID()}`, sent),
      ]) {
        expect(refused.status).toBe(400);
        expect(refused.headers.get('content-type')).toContain('application/problem+json');
        const pointers = (refused.body.errors as { pointer: string }[]).map((one) => one.pointer);
        expect(pointers).toEqual([pointer]);
      }
      expect(await inbox(bob)).toEqual([]);
    });

    it('have no id that stands for the end of their feed', async () => {
      const { ada, bob } = project;
      const content = { recipient: bob.address, message: 'm' };
      const refused = await ada.client.send('PUT', `/v1/messages/${MAX_UUID}`, content);
      expect([refused.status, refused.body.errors]).toMatchObject([400, [{ pointer: '/id' }]]);
      expect(await inbox(bob)).toEqual([]);
    });

    it.each([
      ['/limit', '/v1/messages?limit=101'],
      ['/limit', '/v1/messages?limit=0'],
      ['/since', '/v1/messages?since=yesterday'],
      ['/sender', '/v1/messages?sender='],
      ['/cursor', '/v1/messages?cursor=W10'],
      ['/order', '/v1/messages?order=up'],
      ['/unknown', '/v1/messages?unknown=1'],
      ['/id', '/v1/messages/7'],
      ['/limit', '/v1/conversations?limit=1001'],
      ['/cursor', '/v1/conversations?cursor=!'],
      ['/before', '/v1/conversations/BOB?before=7'],
      ['/after', '/v1/conversations/BOB?after=yesterday'],
      ['/peer', '/v1/conversations/%07'],
    ])('in queries name %s', async (pointer, path) => {
      const { ada, bob } = project;
      const refused = await ada.client.get(path.replace('BOB', encodeURIComponent(bob.address)));
      expect(refused).toMatchObject({ status: 400, body: { code: 'invalid', errors: [{ pointer }] } });
    });

    it.each([{}, { up_to: '' }, { up_to: 'now' }, { up_to: 7 }, { up_to: '2026-01-31' }])(
      'for a horizon of %j name it',
      async (body) => {
        const { ada, bob } = project;
        await send(bob, ada);
        const refused = await ada.client.post(`${conversationWith(bob)}/read`, body);
        expect(refused).toMatchObject({ status: 400, body: { errors: [{ pointer: '/up_to' }] } });
      },
    );
  });

  describe('for whom they are', () => {
    it('are nobody else’s, by list, id, cursor or conversation, except an admin’s', async () => {
      const { admin, ada, bob, vera, pump } = project;
      const strangers = await aProject();
      const sent = (await Promise.all([1, 2, 3].map(() => send(ada, bob, 'secret')))).map(({ body }) => body);
      const { next_cursor } = (await ada.client.get('/v1/messages?limit=1')).body;
      for (const client of [vera.client, pump.client, strangers.admin, strangers.bob.client]) {
        const path = `/v1/messages/${sent[0].id as string}`;
        const { body: missing } = await client.get(`/v1/messages/${randomUUID()}`);
        for (const method of ['GET', 'DELETE']) {
          if (method === 'DELETE' && client === vera.client) continue;
          const { status, body } = await client.send(method, path);
          expect([status, { ...body, request_id: '' }]).toEqual([404, { ...missing, request_id: '' }]);
        }
        const lists = [
          '/v1/messages',
          `/v1/messages?cursor=${next_cursor}`,
          `/v1/messages?sender=${ada.address}`,
          `/v1/messages?recipient=${bob.address}&sender=${ada.address}`,
          '/v1/conversations',
          conversationWith(ada),
          conversationWith(bob),
        ];
        for (const list of lists) {
          for (const accept of ['application/json', 'application/x-ndjson', 'text/csv']) {
            expect(JSON.stringify((await client.get(list, { accept })).body)).not.toContain('secret');
          }
        }
      }
      expect((await admin.get(`/v1/messages/${sent[0].id as string}`)).body).toEqual(sent[0]);
      expect((await admin.get('/v1/messages')).body.messages).toHaveLength(3);
      const found = await admin.get(`/v1/messages?recipient=${bob.address}`);
      expect(found.body.messages).toHaveLength(3);
    });

    it('are not for a device that takes a member’s address for its id', async () => {
      const { admin, ada, bob } = project;
      const first = await send(ada, bob);
      const thief = await aDevice(admin, bob.address);
      const second = await send(ada, bob);
      expect((await thief.client.get('/v1/messages')).body.messages).toEqual([]);
      expect((await thief.client.get('/v1/conversations')).body.conversations).toEqual([]);
      expect(await inbox(bob)).toEqual([second.body, first.body]);
    });

    it('are not from a member when a device sends them that has its address for its id', async () => {
      const { admin, ada, bob } = project;
      for (const id of [bob.address, bob.address.toUpperCase()]) {
        const thief = await aDevice(admin, id);
        const content = { recipient: ada.address, message: 'It is me, Bob' };
        for (const sender of [undefined, id]) {
          const refused = await thief.client.post('/v1/messages', { ...content, sender });
          expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
        }
      }
      expect(await inbox(ada)).toEqual([]);
      const honest = await aDevice(admin, 'pump@north');
      expect((await send(honest, ada)).body).toMatchObject({ sender: 'pump@north' });
    });

    it('stay with a member whose address changes, and do not go to who has it next', async () => {
      const { admin, ada, bob } = project;
      const sent = await send(ada, bob);
      const moved = await admin.patch(`/v1/members/${bob.id}`, { email: `${randomUUID()}@example.com` });
      const next = await admin.post('/v1/members', { email: bob.address, role: 'editor' });
      expect((await bob.client.get('/v1/messages')).body.messages).toEqual([sent.body]);
      expect((await admin.as(next.body.key as string).get('/v1/messages')).body.messages).toEqual([]);
      const path = conversationWith({ ...bob, address: moved.body.email as string });
      expect((await ada.client.get(path)).body.messages).toEqual([sent.body]);
      await send(ada, { ...bob, address: moved.body.email as string }, 'to the new address');
      const { conversations } = (await ada.client.get('/v1/conversations')).body;
      expect(conversations).toMatchObject([{ peer: moved.body.email }]);
    });

    it('are deleted by their sender or an admin, for both', async () => {
      const { admin, ada, bob } = project;
      const [first, second] = [await send(ada, bob), await send(ada, bob)];
      const path = ({ body }: Answer) => `/v1/messages/${body.id as string}`;
      expect((await bob.client.delete(path(first))).status).toBe(403);
      expect((await ada.client.delete(path(first))).status).toBe(204);
      expect((await admin.delete(path(second))).status).toBe(204);
      expect((await ada.client.delete(path(first))).status).toBe(404);
      expect(await inbox(bob)).toEqual([]);
      expect((await bob.client.get('/v1/conversations')).body.conversations).toEqual([]);
    });

    it('are not deleted with the tag of another', async () => {
      const { ada, bob } = project;
      const [path, other] = [await send(ada, bob), await send(ada, bob)].map(
        ({ body }) => `/v1/messages/${body.id as string}`,
      );
      const tag = (await ada.client.get(path!)).headers.get('etag')!;
      const refused = await ada.client.delete(other!, { 'if-match': tag });
      expect([refused.status, refused.body.code]).toEqual([412, 'precondition_failed']);
      expect(await inbox(bob)).toHaveLength(2);
      expect((await ada.client.delete(path!, { 'if-match': tag })).status).toBe(204);
    });

    it.each([
      ['POST', '/v1/messages'],
      ['PUT', '/v1/messages/019ae000-0000-7000-8000-000000000000'],
      ['DELETE', '/v1/messages/019ae000-0000-7000-8000-000000000000'],
      ['POST', '/v1/conversations/a/read'],
    ])('are not written by a viewer, nor seen by the operator: %s %s', async (method, path) => {
      const body = method === 'DELETE' ? undefined : path.endsWith('read') ? { up_to: randomUUID() } : {};
      for (const client of [project.vera.client, system.operator]) {
        const refused = await client.send(method, path, body);
        expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
      }
      expect((await system.operator.get('/v1/messages')).status).toBe(403);
      expect((await system.operator.as(undefined).send(method, path, body)).status).toBe(401);
    });

    it('are read by a viewer who got them', async () => {
      const { ada, vera } = project;
      const sent = await send(ada, vera);
      expect(await inbox(vera)).toEqual([sent.body]);
      expect((await vera.client.get(conversationWith(ada))).body.messages).toEqual([sent.body]);
      expect((await vera.client.get('/v1/conversations')).body.conversations).toMatchObject([{ unread: 1 }]);
    });
  });

  describe('in lists', () => {
    it('are walked by cursor and by link, each once, while others write', async () => {
      const { ada, bob } = project;
      const sent: string[] = [];
      for (let turn = 0; turn < 12; turn += 1) sent.unshift((await send(ada, bob)).body.id as string);
      const seen: string[] = [];
      for (let path: string | undefined = '/v1/messages?limit=5'; path;) {
        const { body, headers }: Answer = await bob.client.get(path);
        seen.push(...(body.messages as { id: string }[]).map(({ id }) => id));
        const link = /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
        expect(link === undefined).toBe(body.next_cursor === null);
        path = link;
        await send(ada, bob, 'late');
      }
      expect(seen).toEqual(sent);
      const oldest = await bob.client.get('/v1/messages?order=asc&limit=1');
      expect(oldest.body.messages[0].id).toBe(sent.at(-1));
    });

    it('come whole as NDJSON and as CSV', async () => {
      const { ada, bob } = project;
      const sent = [];
      for (const text of ['one', 'two "quoted",\n', 'three']) sent.unshift((await send(ada, bob, text)).body);
      for (const path of ['/v1/messages', conversationWith(ada)]) {
        const ndjson = await bob.client.get(path, { accept: 'application/x-ndjson' });
        const lines = (ndjson.body as string).trimEnd().split('\n');
        expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(sent);
        const csv = await bob.client.get(path, { accept: 'text/csv' });
        expect((csv.body as string).split('\r\n')[0]).toBe(
          'id,sender,recipient,message,device_id,created_at',
        );
        expect(csv.body).toContain(',"two ""quoted"",\n",,');
      }
    });

    it('have a version each, which saves the second answer', async () => {
      const { ada, bob } = project;
      const { body } = await send(ada, bob);
      const path = `/v1/messages/${body.id as string}`;
      const etag = (await bob.client.get(path)).headers.get('etag')!;
      expect((await bob.client.get(path, { 'if-none-match': etag })).status).toBe(304);
    });

    it('are empty for an address that nobody has', async () => {
      const { ada, bob } = project;
      await send(ada, bob);
      for (const query of ['sender=nobody@example.com', 'recipient=nobody']) {
        const { status, body } = await ada.client.get(`/v1/messages?${query}`);
        expect([status, body]).toEqual([200, { messages: [], next_cursor: null }]);
      }
    });
  });

  describe('in conversations', () => {
    it('show the last message and what is unread, the newest first', async () => {
      const { ada, bob, pump } = project;
      await send(bob, ada, 'one');
      const two = await send(bob, ada, 'two');
      const command = await send(ada, pump);
      expect((await ada.client.get('/v1/conversations')).body).toEqual({
        conversations: [
          { peer: pump.address, last_message: command.body, unread: 0 },
          { peer: bob.address, last_message: two.body, unread: 2 },
        ],
        next_cursor: null,
      });
      const page = (await ada.client.get('/v1/conversations?limit=1')).body;
      const rest = (await ada.client.get(`/v1/conversations?limit=1&cursor=${page.next_cursor}`)).body;
      expect([page.conversations[0].peer, rest.conversations[0].peer]).toEqual([pump.address, bob.address]);
      expect(rest.next_cursor).toBeNull();
    });

    it('are paged both ways from a message', async () => {
      const { ada, bob } = project;
      const sent = [];
      for (let turn = 0; turn < 9; turn += 1) {
        sent.push((turn % 2 ? await send(ada, bob) : await send(bob, ada)).body);
      }
      const page = async (query: string) =>
        (await ada.client.get(`${conversationWith(bob)}?${query}`)).body.messages;
      expect(await page('')).toEqual(sent.toReversed());
      expect(await page(`before=${sent[4].id}&limit=2`)).toEqual([sent[3], sent[2]]);
      expect(await page(`after=${sent[4].id}&limit=2&order=asc`)).toEqual([sent[5], sent[6]]);
      expect(await page(`after=${sent[4].id}`)).toEqual(sent.slice(5).reverse());
      expect(await page(`after=${sent[1].id}&before=${sent[4].id}`)).toEqual([sent[3], sent[2]]);
      const missing = await ada.client.get(`${conversationWith(bob)}?before=${randomUUID()}`);
      expect(missing).toMatchObject({ status: 404, body: { code: 'not_found' } });
    });

    it('move the read horizon forward only', async () => {
      const { ada, bob } = project;
      const [one, two, three] = [await send(bob, ada), await send(bob, ada), await send(bob, ada)];
      const read = (up_to: string, headers = {}) =>
        ada.client.post(`${conversationWith(bob)}/read`, { up_to }, headers);
      const first = await read(two.body.id as string, { 'idempotency-key': 'k' });
      expect(first).toMatchObject({ status: 200, body: { peer: bob.address, unread: 1 } });
      expect((await read(one.body.id as string)).body.unread).toBe(1);
      expect((await read(three.body.created_at as string)).body.unread).toBe(0);
      const again = await read(two.body.id as string, { 'idempotency-key': 'k' });
      expect([again.body, again.headers.get('idempotency-replayed')]).toEqual([first.body, 'true']);
      expect((await read(one.body.id as string, { 'idempotency-key': 'k' })).status).toBe(409);
      expect((await ada.client.get('/v1/conversations')).body.conversations[0].unread).toBe(0);
    });

    it('are not found with a peer who is not there, nor read up to what is not theirs', async () => {
      const { ada, bob, pump } = project;
      const strangers = await aProject();
      const elsewhere = await send(pump, bob);
      await send(ada, bob);
      for (const { address } of [strangers.bob, { address: 'nobody' }]) {
        const path = `/v1/conversations/${encodeURIComponent(address)}`;
        expect((await ada.client.get(path)).status).toBe(404);
        expect((await ada.client.post(`${path}/read`, { up_to: randomUUID() })).status).toBe(404);
      }
      for (const up_to of [elsewhere.body.id, randomUUID()]) {
        expect((await ada.client.post(`${conversationWith(bob)}/read`, { up_to })).status).toBe(404);
      }
      expect((await ada.client.get(conversationWith(pump))).body).toEqual({
        messages: [],
        next_cursor: null,
      });
    });

    it('stay readable when the peer is gone', async () => {
      const { admin, ada, bob } = project;
      const sent = await send(bob, ada);
      await admin.delete(`/v1/members/${bob.id}`);
      expect((await ada.client.get(conversationWith(bob))).body.messages).toEqual([sent.body]);
      const read = await ada.client.post(`${conversationWith(bob)}/read`, { up_to: sent.body.id });
      expect([read.status, read.body.unread]).toEqual([200, 0]);
    });
  });

  it('are unavailable, not lost, while the service is away', async () => {
    const { ada, bob } = project;
    const alone = await startSystem();
    await alone.messages.stop();
    const refused = await alone.admin.get('/v1/messages');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    const replica = await alone.messages.start();
    expect((await alone.admin.get('/v1/messages')).status).toBe(200);
    await replica.stop();
    await alone.stop();
    expect((await send(ada, bob)).status).toBe(201);
  });
});
