import { Client } from 'pg';
import { prepareSchema } from '#embedded';
import { eventually, Link, queryDatabase } from '#testing';
import { Revisions } from '../apps/gateway/src/auth/revisions.js';
import { aDeviceId, anEmail, anEvent } from './builders.js';
import { goBackBefore } from './former-database.js';
import { type Answer, type HttpClient } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type Gateway, type System } from './system.js';

const ROUNDS = 20;

describe('keys', () => {
  let system: System;
  let second: Gateway;
  let project: Project;
  beforeAll(async () => {
    system = await startSystem();
    second = await system.anotherGateway();
    project = await aProject(system);
  });
  afterAll(() => system.stop());

  /** The same question on both gateways, at once. */
  const onBoth = (client: HttpClient, path = '/v1/me'): Promise<Answer[]> =>
    Promise.all([client.get(path), client.at(second.url).get(path)]);
  const statuses = async (client: HttpClient, path?: string): Promise<number[]> =>
    (await onBoth(client, path)).map(({ status }) => status);
  const rolesOf = async (client: HttpClient): Promise<unknown[]> =>
    (await onBoth(client)).map(({ body }) => body.role as unknown);
  /** A further key of the editor, known to both gateways. */
  const warmKey = async (owner: object = { member_id: project.editor_id }) => {
    const { body } = await project.admin.post('/v1/keys', owner);
    const client = system.admin.as(body.key as string);
    expect(await statuses(client)).toEqual([200, 200]);
    return { id: body.id as string, client };
  };
  const aMember = async (role: string) => {
    const { body } = await project.admin.post('/v1/members', { email: anEmail(), role });
    const client = system.admin.as(body.key as string);
    expect(await statuses(client)).toEqual([200, 200]);
    return { id: body.id as string, client };
  };

  /** Whether so many statements wait for a row that another transaction holds. */
  const areWaiting = async (count: number): Promise<boolean> => {
    const waiting = await queryDatabase(
      system.database_url,
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND wait_event IN ('transactionid', 'tuple')`,
    );
    return waiting.length === count;
  };

  describe('on two gateways that both know the key', () => {
    it('refuse a revoked key on the very next request, round after round', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { id, client } = await warmKey();
        const revoker = round % 2 ? project.admin : project.admin.at(second.url);
        expect((await revoker.delete(`/v1/keys/${id}`)).status).toBe(204);
        expect(await statuses(client)).toEqual([401, 401]);
      }
    });

    it('refuse revoked keys while requests with them keep coming', async () => {
      const keys = await Promise.all(Array.from({ length: 5 }, () => warmKey()));
      await Promise.all(
        keys.map(async ({ id, client }) => {
          let revoked = false;
          const traffic = [client, client.at(second.url)].map(async (one) => {
            const late: number[] = [];
            for (let rounds = 0; rounds < 200; rounds += 1) {
              const wasRevoked = revoked;
              const { status } = await one.get('/v1/me');
              if (wasRevoked) late.push(status);
            }
            return late;
          });
          await project.admin.delete(`/v1/keys/${id}`);
          revoked = true;
          const late = (await Promise.all(traffic)).flat();
          expect(late.filter((status) => status !== 401)).toEqual([]);
          expect(await statuses(client)).toEqual([401, 401]);
        }),
      );
    });

    it('give a member its new role at once, up and down', async () => {
      const { id, client } = await aMember('viewer');
      for (let round = 0; round < ROUNDS; round += 1) {
        const role = round % 2 ? 'viewer' : 'admin';
        expect((await project.admin.patch(`/v1/members/${id}`, { role })).status).toBe(200);
        expect(await rolesOf(client)).toEqual([role, role]);
        expect(await statuses(client, '/v1/members')).toEqual(role === 'admin' ? [200, 200] : [403, 403]);
      }
    });

    it('know a member by its new address at once', async () => {
      const { id, client } = await aMember('viewer');
      const email = anEmail();
      await project.admin.patch(`/v1/members/${id}`, { email });
      const addresses = (await onBoth(client)).map(({ body }) => body.address as string);
      expect(addresses).toEqual([email, email]);
    });

    it('move a device with its keys at once', async () => {
      const [here, there] = [await aProject(system), await aProject(system)];
      const owner = { here, there };
      for (let round = 0; round < ROUNDS; round += 1) {
        expect(await statuses(here.device)).toEqual([200, 200]);
        const target = round % 2 ? owner.here : owner.there;
        const path = `/v1/devices/${encodeURIComponent(here.device_id)}/move`;
        expect((await system.operator.post(path, { project_id: target.id })).status).toBe(200);
        const projects = (await onBoth(here.device)).map(({ body }) => body.project_id as string);
        expect(projects).toEqual([target.id, target.id]);
      }
    });

    it('forget a deleted member at once', async () => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { id, client } = await aMember('editor');
        expect((await project.admin.delete(`/v1/members/${id}`)).status).toBe(204);
        expect(await statuses(client)).toEqual([401, 401]);
      }
    });

    it('forget a deleted device at once, and do not know its key again when it is registered anew', async () => {
      const id = aDeviceId();
      const { body } = await project.admin.post('/v1/devices', { id });
      const device = system.admin.as(body.key as string);
      expect(await statuses(device)).toEqual([200, 200]);
      expect((await project.editor.delete(`/v1/devices/${encodeURIComponent(id)}`)).status).toBe(204);
      expect(await statuses(device)).toEqual([401, 401]);
      expect((await project.admin.post('/v1/devices', { id })).status).toBe(201);
      expect(await statuses(device)).toEqual([401, 401]);
    });

    it('forget everybody of a deleted project at once', async () => {
      for (let round = 0; round < 5; round += 1) {
        const doomed = await aProject(system);
        const everybody = [doomed.admin, doomed.editor, doomed.viewer, doomed.device];
        for (const one of everybody) expect(await statuses(one)).toEqual([200, 200]);
        expect((await system.operator.delete(`/v1/projects/${doomed.id}`)).status).toBe(204);
        for (const one of everybody) expect(await statuses(one)).toEqual([401, 401]);
        expect((await system.operator.get(`/v1/projects/${doomed.id}`)).status).toBe(404);
      }
    });

    it('refuse a revoked key at once while NATS is down', async () => {
      const keys = await Promise.all(Array.from({ length: 5 }, () => warmKey()));
      const { restart } = await system.nats.crash();
      try {
        for (const { id, client } of keys) {
          expect((await project.admin.delete(`/v1/keys/${id}`)).status).toBe(204);
          expect(await statuses(client)).toEqual([401, 401]);
        }
      } finally {
        await restart();
      }
      await eventually(async () =>
        expect(await statuses(project.admin, '/health/ready')).toEqual([200, 200]),
      );
    });

    it('refuse a revoked key though a third gateway has gone', async () => {
      const third = await system.anotherGateway();
      const { id, client } = await warmKey();
      expect((await client.at(third.url).get('/v1/me')).status).toBe(200);
      await third.stop();
      expect((await project.admin.delete(`/v1/keys/${id}`)).status).toBe(204);
      expect(await statuses(client)).toEqual([401, 401]);
    });

    it('refuse a revoked key though a gateway gets its lapsed lease back at the same moment', async () => {
      const gateways = async (): Promise<string[]> =>
        (await queryDatabase<{ id: string }>(system.database_url, 'SELECT id FROM auth.gateways')).map(
          ({ id }) => id,
        );
      const others = await gateways();
      const third = await system.anotherGateway();
      const [lease] = (await gateways()).filter((id) => !others.includes(id));
      const { id, client } = await warmKey();
      expect((await client.at(third.url).get('/v1/me')).status).toBe(200);
      const holders = [1, 2].map(() => new Client({ connectionString: system.database_url }));
      const hold = async (holder: Client): Promise<void> => {
        await holder.query('BEGIN');
        await holder.query('SELECT FROM auth.gateways WHERE id = $1 FOR UPDATE', [lease]);
      };
      const renewals = `SELECT FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock' AND application_name = 'gateway lease'
        AND query_start BETWEEN (SELECT lease_until FROM auth.gateways WHERE id = $1) AND now()
        AND now() - query_start < interval '500 ms'`;
      try {
        for (const holder of holders) await holder.connect();
        await hold(holders[0]!);
        await eventually(async () =>
          expect(await queryDatabase(system.database_url, renewals, [lease])).toHaveLength(1),
        );
        // What follows that renewal has to wait, so that nothing else tells the gateway of the change.
        const followed = hold(holders[1]!);
        await eventually(() => areWaiting(2));
        expect((await project.admin.delete(`/v1/keys/${id}`)).status).toBe(204);
        await holders[0]!.query('COMMIT');
        await followed;
        const answers: number[] = [];
        for (const until = Date.now() + 500; Date.now() < until;)
          answers.push((await client.at(third.url).get('/v1/me')).status);
        expect(new Set(answers)).toEqual(new Set([401]));
      } finally {
        for (const holder of holders) await holder.end();
        await third.stop();
      }
    });

    it('say that a key is revoked only when a gateway that fell silent can no longer believe in it', async () => {
      const { id } = await warmKey();
      await queryDatabase(
        system.database_url,
        `INSERT INTO auth.gateways VALUES ($1, 0, now() + interval '1500 ms')`,
        [id],
      );
      expect((await project.admin.delete(`/v1/keys/${id}`)).status).toBe(204);
      const trusting = await queryDatabase(
        system.database_url,
        'SELECT FROM auth.gateways WHERE id = $1 AND lease_until > now()',
        [id],
      );
      expect(trusting).toEqual([]);
    });

    it('wait no longer than a lease, though the clock of the database was set back during one', async () => {
      const { id, client } = await warmKey();
      await queryDatabase(
        system.database_url,
        `INSERT INTO auth.gateways VALUES ($1, 0, now() + interval '1 hour')`,
        [id],
      );
      try {
        const began = performance.now();
        expect((await project.admin.delete(`/v1/keys/${id}`)).status).toBe(204);
        expect(performance.now() - began).toBeGreaterThan(3_000);
        expect(await statuses(client)).toEqual([401, 401]);
      } finally {
        await queryDatabase(system.database_url, 'DELETE FROM auth.gateways WHERE id = $1', [id]);
      }
    });

    it('share renewals of the lease, however many changes wait for one', async () => {
      const url = new URL((await prepareSchema(system.database_url, 'auth')).service);
      const link = await Link.to(Number(url.port));
      url.port = String(link.port);
      const far = await system.anotherGateway({ DATABASE_URL: url.href });
      try {
        const revisions = far.app.get(Revisions, { strict: false });
        link.delay(250);
        const began = performance.now();
        // So far away, not each of them gets a connection for its own question.
        await Promise.allSettled(Array.from({ length: 12 }, () => revisions.settle('0')));
        // A renewal takes a second.
        expect(performance.now() - began).toBeLessThan(6_000);
      } finally {
        link.heal();
        await far.stop();
        link.close();
      }
    });

    it('believe nothing that they knew of a database that has gone back to an earlier time', async () => {
      const { id, client } = await warmKey();
      await goBackBefore(system, id);
      await eventually(async () => expect(await statuses(client)).toEqual([401, 401]));
      expect(await statuses(project.admin)).toEqual([200, 200]);
    });
  });

  describe('that expire', () => {
    it('work until then and not after, also from memory', async () => {
      const expires_at = new Date(Date.now() + 2_000).toISOString();
      const { client } = await warmKey({ member_id: project.editor_id, expires_at });
      await eventually(async () => expect(await statuses(client)).toEqual([401, 401]));
      expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at));
    });

    it.each(['2020-01-01T00:00:00Z', 'tomorrow', '2030-01-01', 5, null])(
      'may not end at %p',
      async (expires_at) => {
        const { status, body } = await project.admin.post('/v1/keys', {
          member_id: project.editor_id,
          expires_at,
        });
        expect(status).toBe(400);
        expect(body.errors).toEqual([{ pointer: '/expires_at', detail: expect.any(String) }]);
      },
    );
  });

  describe('that are rotated', () => {
    it('end at once, and their successors speak for the same owner', async () => {
      const { id, client } = await warmKey();
      const { status, body } = await project.admin.post(`/v1/keys/${id}/rotate`, {});
      expect(status).toBe(201);
      expect(body).toMatchObject({ member_id: project.editor_id, device_id: null });
      expect(body.id).not.toBe(id);
      expect(await statuses(client)).toEqual([401, 401]);
      expect(await rolesOf(system.admin.as(body.key as string))).toEqual(['editor', 'editor']);
    });

    it('need no body', async () => {
      const { id, client } = await warmKey();
      expect((await project.admin.post(`/v1/keys/${id}/rotate`)).status).toBe(201);
      expect(await statuses(client)).toEqual([401, 401]);
    });

    it('with an overlap work beside their successors, and then end', async () => {
      const { id, client } = await warmKey({ device_id: project.device_id });
      const { body } = await project.admin.post(`/v1/keys/${id}/rotate`, { overlap_seconds: 2 });
      const successor = system.admin.as(body.key as string);
      expect(await rolesOf(client)).toEqual(['device', 'device']);
      expect(await rolesOf(successor)).toEqual(['device', 'device']);
      await eventually(async () => expect(await statuses(client)).toEqual([401, 401]));
      expect(await statuses(successor)).toEqual([200, 200]);
    });

    it('live no longer by an overlap than they would have', async () => {
      const expires_at = new Date(Date.now() + 2_000).toISOString();
      const { id, client } = await warmKey({ member_id: project.editor_id, expires_at });
      await project.admin.post(`/v1/keys/${id}/rotate`, { overlap_seconds: 3600 });
      await eventually(async () => expect(await statuses(client)).toEqual([401, 401]));
    });

    it('hand on when they expire, and cannot be rotated after that', async () => {
      const expires_at = new Date(Date.now() + 4_000).toISOString();
      const { id } = await warmKey({ member_id: project.editor_id, expires_at });
      const { body } = await project.admin.post(`/v1/keys/${id}/rotate`);
      expect(body.expires_at).toBe(expires_at);
      const successor = system.admin.as(body.key as string);
      await eventually(async () => expect((await successor.get('/v1/me')).status).toBe(401));
      const late = await project.admin.post(`/v1/keys/${body.id as string}/rotate`);
      expect(late.body).toMatchObject({ status: 409, code: 'conflict' });
    });

    it('can be rotated once', async () => {
      const { id } = await warmKey();
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => project.admin.post(`/v1/keys/${id}/rotate`, {})),
      );
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 404, 404, 404, 404]);
    });

    it.each([
      ['never', null],
      ['before the overlap ends', new Date(Date.now() + 1_800_000).toISOString()],
    ])('can be rotated once, also during the overlap: one that expires %s', async (_, expires_at) => {
      const { id } = await warmKey({ member_id: project.editor_id, ...(expires_at && { expires_at }) });
      const rotate = (headers = {}): Promise<Answer> =>
        project.admin.post(`/v1/keys/${id}/rotate`, { overlap_seconds: 3600 }, headers);
      const named = { 'idempotency-key': id };
      const answers = await Promise.all(Array.from({ length: 5 }, () => rotate(named)));
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201]);
      expect(answers[0]!.body.expires_at).toBe(expires_at);
      expect((await rotate()).body).toMatchObject({ status: 409, code: 'conflict' });
      expect((await rotate(named)).body).toEqual(answers[0]!.body);
    });
  });

  describe('as they are kept', () => {
    it('are shown once and never again', async () => {
      const { id, client } = await warmKey();
      const { body: list } = await project.admin.get('/v1/keys?limit=1000');
      expect(list.keys.map((key: { id: string }) => key.id)).toContain(id);
      const answers = [
        Promise.resolve(list),
        ...['application/x-ndjson', 'text/csv'].map((accept) => project.admin.get('/v1/keys', { accept })),
        ...['/v1/members', '/v1/devices', '/v1/me'].map((path) => project.admin.get(path)),
      ];
      for (const answer of await Promise.all(answers)) {
        expect(JSON.stringify(answer)).not.toMatch(/flt_|secret/);
        expect(JSON.stringify(answer)).not.toContain(client.key!.slice(-48));
      }
    });

    it('leave no secret in the database, not even those of a remembered answer', async () => {
      const created = await project.admin.post(
        '/v1/keys',
        { member_id: project.editor_id },
        { 'idempotency-key': 'kept' },
      );
      const named = await project.admin.post(
        '/v1/members',
        { email: anEmail(), role: 'viewer' },
        { 'idempotency-key': 'kept' },
      );
      const keys = [created.body.key, named.body.key, project.device.key, system.operator.key] as string[];
      const tables = await queryDatabase<{ name: string }>(
        system.database_url,
        `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
         WHERE schemaname IN ('auth', 'activity_events')`,
      );
      expect(tables.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['auth.keys', 'auth.idempotency_keys']),
      );
      let text = '';
      for (const { name } of tables) {
        const [row] = await queryDatabase<{ all: string | null }>(
          system.database_url,
          `SELECT string_agg(row::text, E'\\n') AS all FROM ${name} AS row`,
        );
        text += row!.all ?? '';
      }
      expect(text).toContain(created.body.id);
      for (const key of keys) {
        const secret = key.slice(-48, -8);
        for (const form of [
          key,
          secret,
          Buffer.from(secret).toString('hex'),
          Buffer.from(key).toString('hex'),
        ])
          expect(text.includes(form)).toBe(false);
      }
    });

    it('say when they were last used', async () => {
      const { id, client } = await warmKey();
      await client.get('/v1/me');
      await eventually(async () => {
        const { body } = await project.admin.get('/v1/keys?limit=1000');
        const { created_at, last_used_at } = body.keys.find((key: { id: string }) => key.id === id);
        expect(Date.parse(last_used_at as string)).toBeGreaterThanOrEqual(Date.parse(created_at as string));
      }, 15_000);
    });

    it('say so, too, when the database could not be told at first', async () => {
      const { body } = await project.admin.post('/v1/keys', { member_id: project.editor_id });
      const id = body.id as string;
      expect((await system.admin.as(body.key as string).get('/v1/me')).status).toBe(200);
      const used_at = Date.now();
      const holder = new Client({ connectionString: system.database_url });
      await holder.connect();
      try {
        await holder.query('BEGIN');
        await holder.query('SELECT FROM auth.keys WHERE id = $1 FOR UPDATE', [id]);
        await eventually(() => areWaiting(1));
        await queryDatabase(
          system.database_url,
          `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event IN ('transactionid', 'tuple')`,
        );
        await eventually(() => areWaiting(0));
      } finally {
        await holder.end();
      }
      await eventually(async () => {
        const { body: list } = await project.admin.get('/v1/keys?limit=1000');
        const { last_used_at } = list.keys.find((key: { id: string }) => key.id === id);
        expect(Date.parse(last_used_at as string)).toBeLessThanOrEqual(used_at);
      }, 15_000);
    });
  });

  describe('of admins', () => {
    it('always leave one: the last can neither go nor become less', async () => {
      const { admin } = await aProject(system);
      const me = (await admin.get('/v1/me')).body.principal as string;
      for (const answer of [
        await admin.delete(`/v1/members/${me}`),
        await admin.patch(`/v1/members/${me}`, { role: 'viewer' }),
      ]) {
        expect(answer.status).toBe(409);
        expect(answer.body.code).toBe('conflict');
      }
      expect((await admin.get('/v1/me')).body.role).toBe('admin');
      expect((await admin.patch(`/v1/members/${me}`, { name: 'still here' })).status).toBe(200);
    });

    it('always leave one that works: the last may be rotated, not revoked', async () => {
      const { admin } = await aProject(system);
      const { principal, key_id } = (await admin.get('/v1/me')).body;
      const [me, mine] = [`/v1/members/${principal as string}`, `/v1/keys/${key_id as string}`];
      const other = (await admin.post('/v1/members', { email: anEmail(), role: 'admin' })).body;
      const owner = { member_id: other.id as string };
      // The other admin has a key that has expired and one that is revoked: it cannot let anybody in.
      const expires_at = new Date(Date.now() + 3_000).toISOString();
      const expired = system.admin.as(
        (await admin.post('/v1/keys', { ...owner, expires_at })).body.key as string,
      );
      const { key_id: theirs } = (await admin.as(other.key as string).get('/v1/me')).body;
      expect((await admin.delete(`/v1/keys/${theirs as string}`)).status).toBe(204);
      await eventually(async () => expect((await expired.get('/v1/me')).status).toBe(401));
      for (const answer of [
        await admin.delete(mine),
        await admin.delete(me),
        await admin.patch(me, { role: 'editor' }),
      ])
        expect(answer.body).toMatchObject({ status: 409, code: 'conflict' });

      const rotated = await admin.post(`${mine}/rotate`);
      expect([rotated.status, await statuses(admin)]).toEqual([201, [401, 401]]);
      const successor = admin.as(rotated.body.key as string);
      expect((await successor.delete(`/v1/keys/${rotated.body.id as string}`)).status).toBe(409);
      await successor.post('/v1/keys', owner);
      expect((await successor.delete(`/v1/keys/${rotated.body.id as string}`)).status).toBe(204);
      expect(await statuses(successor)).toEqual([401, 401]);
    });

    it('always leave one that works: of two that are revoked at once, one stays', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { admin } = await aProject(system);
        const { key: other } = (await admin.post('/v1/members', { email: anEmail(), role: 'admin' })).body;
        const both = [admin, admin.as(other as string).at(second.url)];
        const ids = await Promise.all(
          both.map(async (one) => (await one.get('/v1/me')).body.key_id as string),
        );
        const answers = await Promise.all(both.map((one, index) => one.delete(`/v1/keys/${ids[index]!}`)));
        expect(answers.map(({ status }) => status).sort()).toEqual([204, 409]);
      }
    });

    it('always leave one: of two that remove each other, one stays', async () => {
      for (let round = 0; round < 5; round += 1) {
        const { admin } = await aProject(system);
        const first = (await admin.get('/v1/me')).body.principal as string;
        const other = (await admin.post('/v1/members', { email: anEmail(), role: 'admin' })).body;
        const answers = await Promise.all([
          admin.delete(`/v1/members/${other.id as string}`),
          admin
            .as(other.key as string)
            .at(second.url)
            .delete(`/v1/members/${first}`),
        ]);
        expect(answers.map(({ status }) => status).filter((status) => status === 204)).toHaveLength(1);
      }
    });
  });

  it('are for a member or for a device, not for both and not for neither', async () => {
    const owners = [{}, { member_id: project.editor_id, device_id: project.device_id }];
    for (const owner of owners) expect((await project.admin.post('/v1/keys', owner)).status).toBe(400);
  });

  it('are not made for a device that is being deleted, nor come to life with its successor', async () => {
    const id = aDeviceId();
    const path = `/v1/devices/${encodeURIComponent(id)}`;
    await project.admin.post('/v1/devices', { id });
    const database = new Client({ connectionString: system.database_url });
    await database.connect();
    // The deletion stops at the device's first key, which somebody else holds.
    await database.query('BEGIN');
    await database.query('SELECT FROM auth.keys WHERE device_id = $1 FOR UPDATE', [id]);
    const deleted = project.admin.delete(path);
    await eventually(() => areWaiting(1));
    const made = project.admin.post('/v1/keys', { device_id: id });
    await Promise.race([made, eventually(() => areWaiting(2))]);
    await database.query('COMMIT');
    await database.end();
    expect([(await deleted).status, (await made).status]).toEqual([204, 404]);

    await project.admin.post('/v1/devices', { id });
    const { body } = await project.admin.get('/v1/keys?limit=1000');
    expect(body.keys.filter((key: { device_id: string }) => key.device_id === id)).toHaveLength(1);
  });

  it('survive that the event service is away', async () => {
    await system.activityEvents.stop();
    try {
      const { id, client } = await warmKey();
      expect((await client.post('/v1/events', anEvent())).status).toBe(503);
      expect((await project.admin.delete(`/v1/keys/${id}`)).status).toBe(204);
      expect((await client.post('/v1/events', anEvent())).status).toBe(401);
    } finally {
      await system.activityEvents.start();
    }
  });

  it('of a deleted project are all refused at once, however many there are', async () => {
    const doomed = await aProject(system);
    await queryDatabase(
      system.database_url,
      `INSERT INTO auth.keys (id, project_id, device_id, secret_hash, created_at, revision)
       SELECT gen_random_uuid(), $1, $2, '', now(), 0 FROM generate_series(1, 300000)`,
      [doomed.id, doomed.device_id],
    );
    const everybody = [doomed.admin, doomed.editor, doomed.viewer, doomed.device];
    for (const one of everybody) expect(await statuses(one)).toEqual([200, 200]);
    expect((await system.operator.delete(`/v1/projects/${doomed.id}`)).status).toBe(204);
    for (const one of everybody) expect(await statuses(one)).toEqual([401, 401]);
  });
});
