import { randomUUID } from 'node:crypto';
import { eventually, queryDatabase } from '#testing';
import { aDeviceId, aFirmwareEvent, anEmail, anEvent } from './builders.js';
import { type Answer, type HttpClient } from './http-client.js';
import { publishedRoutes } from './openapi-routes.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

interface Write {
  client: HttpClient;
  path: string;
  body: object;
  /** As valid as `body`, and not the same. */
  other: object;
}

describe('idempotency keys', () => {
  let system: System;
  let project: Project;
  let targets: Project[];
  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    project = await aProject(system);
    targets = [await aProject(system), await aProject(system)];
  });
  afterAll(() => system.stop());

  const made = async (path: string, body: object): Promise<string> =>
    (await project.admin.post(path, body)).body.id as string;
  const newDevice = async (): Promise<string> =>
    `/v1/devices/${encodeURIComponent(await made('/v1/devices', { id: aDeviceId() }))}`;
  const newMember = async (): Promise<string> =>
    `/v1/members/${await made('/v1/members', { email: anEmail(), role: 'viewer' })}`;
  const newKey = async (): Promise<string> =>
    `/v1/keys/${await made('/v1/keys', { member_id: project.viewer_id })}`;
  const newProject = async (): Promise<string> => `/v1/projects/${(await aProject(system)).id}`;
  const states = () => ({ body: { data: { a: randomUUID() } }, other: { data: { a: randomUUID() } } });
  const names = () => ({ body: { name: randomUUID() }, other: { name: randomUUID() } });

  /** A write of each route that makes or changes something, new whenever it is asked for. */
  const WRITES: Record<string, () => Promise<Omit<Write, 'client'>>> = {
    'POST /v1/events': async () => ({
      path: '/v1/events',
      body: anEvent(),
      other: anEvent({ data: { invoice: 43 } }),
    }),
    'POST /v1/devices/{device_id}/firmware': async () => ({
      path: `/v1/devices/${encodeURIComponent(project.device_id)}/firmware`,
      body: aFirmwareEvent({ firmware: `1.0.0-${randomUUID()}` }),
      other: aFirmwareEvent({ firmware: `1.0.0-${randomUUID()}` }),
    }),
    'POST /v1/prices': async () => {
      const product_id = randomUUID();
      return { path: '/v1/prices', body: { product_id, price: '1' }, other: { product_id, price: '2' } };
    },
    'POST /v1/messages': async () => ({
      path: '/v1/messages',
      body: { recipient: project.device_id, message: 'Close valve 3' },
      other: { recipient: project.device_id, message: 'Close valve 4' },
    }),
    'POST /v1/conversations/{peer}/read': async () => {
      const sent = { recipient: await made('/v1/devices', { id: aDeviceId() }), message: 'Close valve 3' };
      const id = await made('/v1/messages', sent);
      return {
        path: `/v1/conversations/${encodeURIComponent(sent.recipient)}/read`,
        body: { up_to: id },
        other: { up_to: new Date().toISOString() },
      };
    },
    'POST /v1/projects': async () => ({ path: '/v1/projects', ...names() }),
    'PATCH /v1/projects/{id}': async () => ({ path: await newProject(), ...names() }),
    'POST /v1/members': async () => ({
      path: '/v1/members',
      body: { email: anEmail(), role: 'viewer' },
      other: { email: anEmail(), role: 'viewer' },
    }),
    'PATCH /v1/members/{id}': async () => ({ path: await newMember(), ...names() }),
    'POST /v1/devices': async () => ({
      path: '/v1/devices',
      body: { id: aDeviceId() },
      other: { id: aDeviceId() },
    }),
    'PATCH /v1/devices/{device_id}': async () => ({ path: await newDevice(), ...names() }),
    'PATCH /v1/devices/{device_id}/state': async () => ({ path: `${await newDevice()}/state`, ...states() }),
    'PATCH /v1/devices/{device_id}/state/desired': async () => ({
      path: `${await newDevice()}/state/desired`,
      ...states(),
    }),
    'POST /v1/devices/{device_id}/move': async () => ({
      path: `${await newDevice()}/move`,
      body: { project_id: targets[0]!.id },
      other: { project_id: targets[1]!.id },
    }),
    'POST /v1/keys': async () => ({
      path: '/v1/keys',
      body: { member_id: project.viewer_id },
      other: { device_id: project.device_id },
    }),
    'POST /v1/keys/{id}/rotate': async () => ({
      path: `${await newKey()}/rotate`,
      body: {},
      other: { overlap_seconds: 60 },
    }),
  };

  const aWrite = async (route: string): Promise<Write> => {
    const member = /projects|move/.test(route) ? system.operator : project.admin;
    const client = /firmware/.test(route) ? project.device : member;
    return { client, ...(await WRITES[route]!()) };
  };
  const send = (route: string, { client, path }: Write, body: object, key: string): Promise<Answer> =>
    client.send(route.split(' ')[0]!, path, body, { 'idempotency-key': key });
  /** Everything that writes leave behind, counted: rows, versions, and devices by project. */
  const traces = async (): Promise<number[]> => {
    const [row] = await queryDatabase<{ counts: number[] }>(
      system.database_url,
      `SELECT ARRAY[
         (SELECT count(*) FROM activity_events.events),
         (SELECT count(*) FROM device_state.history),
         (SELECT coalesce(sum(version + desired_version + duplicates), 0) FROM device_state.states),
         (SELECT count(*) FROM firmware.firmware_events),
         (SELECT count(*) FROM pricing.changes),
         (SELECT count(*) FROM messages.messages), (SELECT count(read_at) FROM messages.conversations),
         (SELECT count(*) FROM auth.projects), (SELECT coalesce(sum(version), 0) FROM auth.projects),
         (SELECT count(*) FROM auth.members), (SELECT coalesce(sum(version), 0) FROM auth.members),
         (SELECT count(*) FROM auth.devices), (SELECT coalesce(sum(version), 0) FROM auth.devices),
         (SELECT count(*) FROM auth.devices WHERE project_id = $1),
         (SELECT count(*) FROM auth.keys), (SELECT count(*) FROM auth.keys WHERE revoked_at IS NULL)
       ]::int[] AS counts`,
      [targets[0]!.id],
    );
    return row!.counts;
  };
  const differenceOf = async (work: () => Promise<unknown>): Promise<number[]> => {
    const before = await traces();
    await work();
    return (await traces()).map((count, index) => count - before[index]!);
  };

  it('are tried on each POST and PATCH that is published', async () => {
    // A bulk is many writes, each with a key of its own: see bulk.spec.ts.
    const routes = (await publishedRoutes(system.admin)).filter(
      ({ name, method }) => /POST|PATCH/.test(method) && name !== 'POST /v1/bulk',
    );
    expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(WRITES).sort());
  });

  it('take the query for content', async () => {
    const [id, key] = [aDeviceId(), randomUUID()];
    const [to, other] = [targets[0]!, targets[1]!];
    for (const { admin } of [project, other]) await admin.post('/v1/devices', { id });
    const move = (from: Project): Promise<Answer> =>
      system.operator.post(
        `/v1/devices/${encodeURIComponent(id)}/move?from_project_id=${from.id}`,
        { project_id: to.id },
        { 'idempotency-key': key },
      );
    const [first, again] = [await move(project), await move(project)];
    expect([first.status, again.status, again.body]).toEqual([200, 200, first.body]);
    expect((await move(other)).body.code).toBe('idempotency_conflict');
    expect((await other.admin.get(`/v1/devices/${encodeURIComponent(id)}`)).status).toBe(200);
  });

  describe.each(Object.keys(WRITES))('on %s', (route) => {
    it('give the first answer again, marked, and make no second effect', async () => {
      const [write, key] = [await aWrite(route), randomUUID()];
      const first = await send(route, write, write.body, key);
      expect([200, 201, 202]).toContain(first.status);
      expect(first.headers.get('idempotency-replayed')).toBeNull();
      const difference = await differenceOf(async () => {
        for (let times = 0; times < 3; times += 1) {
          const again = await send(route, write, write.body, key);
          expect([again.status, again.body]).toEqual([first.status, first.body]);
          expect(again.headers.get('idempotency-replayed')).toBe('true');
          expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
        }
      });
      expect(difference.filter((count) => count !== 0)).toEqual([]);
    });

    it('refuse other content with both hashes, and keep the first answer', async () => {
      const [write, key] = [await aWrite(route), randomUUID()];
      const first = await send(route, write, write.body, key);
      const difference = await differenceOf(async () => {
        const { status, body } = await send(route, write, write.other, key);
        expect([status, body.code]).toEqual([409, 'idempotency_conflict']);
        const { first_content_hash, content_hash } = body;
        for (const hash of [first_content_hash, content_hash]) expect(hash).toMatch(/^[\da-f]{64}$/);
        expect(first_content_hash).not.toBe(content_hash);
      });
      expect(difference.filter((count) => count !== 0)).toEqual([]);
      expect((await send(route, write, write.body, key)).body).toEqual(first.body);
    });

    it('make one effect of 50 concurrent repeats, and 50 equal answers', async () => {
      const alone = await aWrite(route);
      const ofOne = await differenceOf(() => send(route, alone, alone.body, randomUUID()));
      const [write, key] = [await aWrite(route), randomUUID()];
      const answers: Answer[] = [];
      const ofFifty = await differenceOf(async () => {
        // A client that is told 503 comes back, with the same key.
        const persistent = () =>
          eventually(async () => {
            const answer = await send(route, write, write.body, key);
            expect(answer.status).not.toBe(503);
            return answer;
          });
        answers.push(...(await Promise.all(Array.from({ length: 50 }, persistent))));
      });
      expect(ofFifty).toEqual(ofOne);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => answers[0]!.status));
      expect(answers.map(({ body }) => body as unknown)).toEqual(
        answers.map(() => answers[0]!.body as unknown),
      );
      const firsts = answers.filter(({ headers }) => headers.get('idempotency-replayed') !== 'true');
      expect(firsts.length).toBeLessThanOrEqual(1);
    });
  });

  it('know content by what it says, not by how it is written', async () => {
    const key = randomUUID();
    const { message, ...rest } = anEvent({ data: { b: 1, a: [1.0, 'x'] } });
    const first = await project.admin.post('/v1/events', { message, ...rest }, { 'idempotency-key': key });
    const text = JSON.stringify({ ...rest, data: { a: [1, '\\u0078'], b: 1 }, message }, null, 2).replace(
      '\\\\u',
      '\\u',
    );
    const again = await project.admin.post('/v1/events', text, { 'idempotency-key': key });
    expect(again.status).toBe(201);
    expect(again.body).toEqual(first.body);
  });

  it('belong to a project', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const events = [anEvent({ message: 'here' }), anEvent({ message: 'there' })];
    const here = await project.admin.post('/v1/events', events[0], headers);
    const there = await targets[0]!.admin.post('/v1/events', events[1], headers);
    expect([here.status, there.status]).toEqual([201, 201]);
    expect(there.body.message).toBe('there');
    expect(there.headers.get('idempotency-replayed')).toBeNull();
  });

  it('belong to a route', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const body = { name: randomUUID() };
    const answers = [
      await project.admin.patch(await newMember(), body, headers),
      await project.admin.patch(await newDevice(), body, headers),
      await system.operator.post('/v1/projects', body, headers),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 201]);
  });

  it('of one device never answer another', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const other = (await project.admin.post('/v1/devices', { id: aDeviceId() })).body.key as string;
    expect((await project.device.post('/v1/events', anEvent(), headers)).status).toBe(201);
    const { status, body } = await project.device.as(other).post('/v1/events', anEvent(), headers);
    expect([status, body.code]).toEqual([409, 'idempotency_conflict']);
  });

  it('bring the same key of a new member or device again, and it opens', async () => {
    for (const [path, body] of [
      ['/v1/members', { email: anEmail(), role: 'viewer' }],
      ['/v1/devices', { id: aDeviceId() }],
      ['/v1/keys', { device_id: project.device_id }],
    ] as const) {
      const headers = { 'idempotency-key': randomUUID() };
      await project.admin.post(path, body, headers);
      const again = await project.admin.post(path, body, headers);
      expect((await system.admin.as(again.body.key as string).get('/v1/me')).status).toBe(200);
    }
  });

  it('bring a key to nobody but who made it', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const device = { id: aDeviceId() };
    const made = await project.admin.post('/v1/devices', device, headers);
    const again = await project.editor.post('/v1/devices', device, headers);
    expect([made.status, again.status, again.body.code]).toEqual([201, 409, 'conflict']);
    expect(JSON.stringify(again.body)).not.toContain(made.body.key);
    expect((await project.admin.post('/v1/devices', device, headers)).body).toEqual(made.body);
  });

  it('bring the same key again when it has expired', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const expires_at = new Date(Date.now() + 1_000).toISOString();
    const wish = { device_id: project.device_id, expires_at };
    const first = await project.admin.post('/v1/keys', wish, headers);
    await eventually(async () =>
      expect((await system.admin.as(first.body.key as string).get('/v1/me')).status).toBe(401),
    );
    const again = await project.admin.post('/v1/keys', wish, headers);
    expect([again.status, again.body]).toEqual([201, first.body]);
  });

  it('bring labels again as they were, though they are named as the parts of a key are', async () => {
    const id = aDeviceId();
    const path = `/v1/devices/${encodeURIComponent(id)}`;
    const labels = { id: randomUUID(), kind: 'device', salt: 'low', site: 'north' };
    const changed = { ...labels, kind: 'pump', site: 'south' };
    const twice = async (client: HttpClient, method: string, at: string, body: object): Promise<Answer> => {
      const headers = { 'idempotency-key': randomUUID() };
      const [first, again] = [
        await client.send(method, at, body, headers),
        await client.send(method, at, body, headers),
      ];
      expect(again).toMatchObject({ status: first.status, body: first.body as object });
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      return first;
    };
    const made = await twice(project.admin, 'POST', '/v1/devices', { id, labels });
    expect(made).toMatchObject({ status: 201, body: { labels, key: expect.stringMatching(/^flt_device_/) } });
    const patched = await twice(project.admin, 'PATCH', path, { labels: changed });
    expect([patched.status, patched.body.labels]).toEqual([200, changed]);
    const moved = await twice(system.operator, 'POST', `${path}/move`, { project_id: targets[0]!.id });
    expect([moved.status, moved.body.labels]).toEqual([200, changed]);
  });

  it('are still free after a refusal', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const email = anEmail();
    const obstacle = await made('/v1/members', { email, role: 'viewer' });
    const write = { email, role: 'editor' };
    expect((await project.admin.post('/v1/members', write, headers)).status).toBe(409);
    await project.admin.delete(`/v1/members/${obstacle}`);
    const second = await project.admin.post('/v1/members', write, headers);
    expect([second.status, second.headers.get('idempotency-replayed')]).toEqual([201, null]);
  });

  it('outlive a restart of the service', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const first = await project.admin.post('/v1/events', anEvent(), headers);
    await system.activityEvents.stop();
    await system.activityEvents.start();
    const again = await eventually(async () => {
      const answer = await project.admin.post('/v1/events', anEvent(), headers);
      expect(answer.status).toBe(201);
      return answer;
    });
    expect(again.body).toEqual(first.body);
  });

  it.each(['', ' ', 'with space', 'x'.repeat(256), 'é', 'a\tb'])('may not be %j', async (key) => {
    const { status, body } = await project.admin.post('/v1/events', anEvent(), { 'idempotency-key': key });
    expect([status, body.errors]).toEqual([
      400,
      [{ pointer: '/Idempotency-Key', detail: expect.any(String) }],
    ]);
  });

  it.each(['x', '!'.repeat(255), '"quoted"', "';DROP/**/TABLE/**/x;--"])('may be %j', async (key) => {
    const answers = [1, 2].map(() => project.admin.post('/v1/events', anEvent(), { 'idempotency-key': key }));
    const [one, two] = await Promise.all(answers);
    expect([one!.status, two!.status, two!.body.id]).toEqual([201, 201, one!.body.id]);
  });

  describe('and an event’s own id', () => {
    it('makes a repeat the same event', async () => {
      const event = anEvent({ id: randomUUID() });
      const first = await project.admin.post('/v1/events', event);
      expect([first.status, first.body.id]).toEqual([201, event.id]);
      const again = await project.admin.post('/v1/events', event);
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
    });

    it('is the same in capitals', async () => {
      const id = randomUUID();
      const first = await project.admin.post('/v1/events', anEvent({ id }));
      const again = await project.admin.post('/v1/events', anEvent({ id: id.toUpperCase() }));
      expect([again.status, again.body]).toEqual([201, first.body]);
    });

    it('cannot be another event', async () => {
      const id = randomUUID();
      await project.admin.post('/v1/events', anEvent({ id }));
      const { status, body } = await project.admin.post('/v1/events', anEvent({ id, message: 'other' }));
      expect([status, body.code]).toEqual([409, 'idempotency_conflict']);
      expect((await project.admin.get(`/v1/events/${id}`)).body.message).toBe(anEvent().message);
    });

    it('may be another event in another project', async () => {
      const id = randomUUID();
      await project.admin.post('/v1/events', anEvent({ id }));
      const theirs = await targets[0]!.admin.post('/v1/events', anEvent({ id, message: 'theirs' }));
      expect([theirs.status, theirs.body.message]).toEqual([201, 'theirs']);
      expect((await project.admin.get(`/v1/events/${id}`)).body.message).toBe(anEvent().message);
    });

    it('makes one event of 50 concurrent posts, whatever their keys', async () => {
      const event = anEvent({ id: randomUUID() });
      const difference = await differenceOf(async () => {
        const posts = Array.from({ length: 50 }, (_, index) =>
          project.admin.post('/v1/events', event, index % 2 ? { 'idempotency-key': randomUUID() } : {}),
        );
        const answers = await Promise.all(posts);
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
        expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      });
      expect(difference[0]).toBe(1);
    });
  });
});
