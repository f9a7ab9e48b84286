import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { eventually, queryDatabase } from '#testing';
import { aDeviceId, anEmail, anEvent } from './builders.js';
import { type HttpClient } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** Ids that a user may choose, each with something that paths, NATS subjects or SQL treat as special. */
const AWKWARD_IDS = [
  'pump 7',
  'a.b.c',
  'north/pump/7',
  '*',
  '>',
  'a.*.>',
  '$SYS.>',
  '水ポンプ 🚰',
  'Zoë',
  '%2f',
  '100%',
  "'; DROP TABLE auth.devices; --",
  '"quoted"\\back',
  '?query#fragment',
  'a+b&c=d;e',
  'histogram',
  'x'.repeat(128),
  '🚰'.repeat(128),
];

describe('resources', () => {
  let system: System;
  let project: Project;
  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    project = await aProject(system);
  });
  afterAll(() => system.stop());

  const devicePath = (id: string): string => `/v1/devices/${encodeURIComponent(id)}`;

  describe('projects', () => {
    it('are made with a first admin, listed, read, renamed and deleted', async () => {
      const made = await system.operator.post('/v1/projects', { name: 'east' });
      expect(made.status).toBe(201);
      expect(made.body).toEqual({
        id: expect.stringMatching(UUID),
        name: 'east',
        created_at: expect.stringMatching(TIME),
        admin_key: expect.stringMatching(/^flt_member_/),
      });
      const { admin_key, ...view } = made.body;
      const path = `/v1/projects/${view.id as string}`;
      expect((await system.admin.as(admin_key as string).get('/v1/me')).body.role).toBe('admin');
      expect((await system.operator.get(path)).body).toEqual(view);
      expect((await system.operator.get('/v1/projects?limit=1000')).body.projects).toContainEqual(view);

      const renamed = await system.operator.patch(path, { name: 'far east' });
      expect(renamed.status).toBe(200);
      expect(renamed.body).toEqual({ ...view, name: 'far east' });

      const deleted = await system.operator.delete(path);
      expect([deleted.status, deleted.body]).toEqual([204, '']);
      for (const again of [await system.operator.get(path), await system.operator.delete(path)])
        expect(again.status).toBe(404);
      const left = (await system.operator.get('/v1/projects?limit=1000')).body.projects;
      expect(left.map(({ id }: { id: string }) => id)).not.toContain(view.id);
    });

    it('begin with one called demo', async () => {
      const { projects } = (await system.operator.get('/v1/projects?limit=1000')).body;
      expect(projects.map(({ name }: { name: string }) => name)).toContain('demo');
    });
  });

  describe('members', () => {
    it('are let in with a key, listed, read, changed and removed', async () => {
      const email = anEmail();
      const made = await project.admin.post('/v1/members', { email, name: 'Ada', role: 'editor' });
      expect(made.status).toBe(201);
      const { key, ...view } = made.body;
      expect(view).toEqual({
        id: expect.stringMatching(UUID),
        email,
        name: 'Ada',
        role: 'editor',
        created_at: expect.stringMatching(TIME),
      });
      const path = `/v1/members/${view.id as string}`;
      expect((await system.admin.as(key as string).get('/v1/me')).body.address).toBe(email);
      expect((await project.admin.get(path)).body).toEqual(view);
      expect((await project.admin.get('/v1/members?limit=1000')).body.members).toContainEqual(view);
      expect((await project.admin.patch(path, { role: 'viewer' })).body).toEqual({ ...view, role: 'viewer' });
      expect((await project.admin.delete(path)).status).toBe(204);
      expect((await project.admin.get(path)).status).toBe(404);
    });

    it('share no address, in any case', async () => {
      const email = anEmail();
      await project.admin.post('/v1/members', { email, role: 'viewer' });
      const again = { email: email.toUpperCase(), role: 'viewer' };
      expect((await project.admin.post('/v1/members', again)).body).toMatchObject({
        code: 'conflict',
        status: 409,
      });
      const other = await project.admin.post('/v1/members', { email: anEmail(), role: 'viewer' });
      const taken = await project.admin.patch(`/v1/members/${other.body.id as string}`, { email });
      expect(taken.status).toBe(409);
    });

    it('have an address that messages can be sent to', async () => {
      const longest = `${'a'.repeat(59)}@${'b'.repeat(60)}.example`;
      const made = await project.admin.post('/v1/members', { email: longest, role: 'viewer' });
      const sent = await project.admin.post('/v1/messages', { recipient: longest, message: 'Close valve 3' });
      expect([longest.length, made.status, sent.status]).toEqual([128, 201, 201]);
      const path = `/v1/members/${made.body.id as string}`;
      const { status, body } = await project.admin.patch(path, { email: `a${longest}` });
      expect([status, body.errors[0].pointer]).toEqual([400, '/email']);
    });

    it.each([
      ['/role', { role: 'operator' }],
      ['/role', { role: 'device' }],
      ['/role', { role: undefined }],
      ['/email', { email: 'ada' }],
      ['/email', { email: `${'a'.repeat(60)}@${'b'.repeat(60)}.example` }],
      ['/email', { email: undefined }],
      ['/name', { name: '   ' }],
      ['/id', { id: randomUUID() }],
      ['/project_id', { project_id: randomUUID() }],
      ['/created_at', { created_at: '2020-01-01T00:00:00Z' }],
      ['/version', { version: 7 }],
      ['/key', { key: 'flt_member_mine' }],
    ])('are refused, naming %s, for %j', async (pointer, wrong) => {
      const body = { email: anEmail(), role: 'viewer', ...wrong };
      const answer = await project.admin.post('/v1/members', body);
      expect(answer.status).toBe(400);
      expect(answer.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
    });
  });

  describe('devices', () => {
    it('are registered with a key, listed, read, changed and removed', async () => {
      const id = aDeviceId();
      const labels = { site: 'north', rack: '7' };
      const made = await project.editor.post('/v1/devices', { id, name: 'Pump', labels });
      expect(made.status).toBe(201);
      const { key, ...view } = made.body;
      expect(view).toEqual({ id, name: 'Pump', labels, created_at: expect.stringMatching(TIME) });
      expect((await system.admin.as(key as string).get('/v1/me')).body).toMatchObject({
        role: 'device',
        principal: id,
      });
      expect((await project.viewer.get(devicePath(id))).body).toEqual({ ...view, firmware: null });
      expect((await project.viewer.get('/v1/devices?limit=1000')).body.devices).toContainEqual(view);
      const changed = await project.editor.patch(devicePath(id), { labels: { site: 'south' } });
      expect(changed.body).toEqual({ ...view, labels: { site: 'south' } });
      expect((await project.editor.delete(devicePath(id))).status).toBe(204);
      expect((await project.viewer.get(devicePath(id))).status).toBe(404);
    });

    it('have an id of their own in a project', async () => {
      const device = { id: aDeviceId() };
      expect((await project.admin.post('/v1/devices', device)).status).toBe(201);
      expect((await project.admin.post('/v1/devices', device)).body).toMatchObject({
        status: 409,
        code: 'conflict',
      });
    });

    it.each(AWKWARD_IDS)('may be called %j', async (id) => {
      const { admin } = project;
      const made = await admin.post('/v1/devices', { id });
      expect(made.status).toBe(201);
      const device = system.admin.as(made.body.key as string);
      expect((await device.get('/v1/me')).body.principal).toBe(id);
      expect((await admin.get(devicePath(id))).body.id).toBe(id);
      expect((await admin.patch(devicePath(id), { name: 'x' })).body).toMatchObject({ id, name: 'x' });

      const event = await device.post('/v1/events', anEvent());
      expect([event.status, event.body.device_id]).toEqual([201, id]);
      const found = await admin.get(`/v1/events?device_id=${encodeURIComponent(id)}`);
      expect(found.body.events).toEqual([event.body]);
      expect((await admin.delete(devicePath(id))).status).toBe(204);
    });

    it.each(['', '\u0000', 'a\nb', 'a\u007fb', '\u0085', 'x'.repeat(129), 7, null, '\ud800'])(
      'may not be called %j',
      async (id) => {
        const { status, body } = await project.admin.post('/v1/devices', { id });
        expect([status, body.code]).toEqual([400, 'invalid']);
      },
    );

    it('may not be asked for by a name that none can have', async () => {
      for (const id of ['%00', 'a%0Ab', 'x'.repeat(129), '%ff', '%zz', '%ED%A0%80'])
        expect([id, (await project.admin.get(`/v1/devices/${id}`)).status]).toEqual([id, 400]);
    });

    it('are found by a label, exactly', async () => {
      const { admin } = await aProject(system);
      const labels = {
        all: { site: 'a:b', '%': '_' },
        some: { site: 'a' },
        other: { place: 'a:b' },
        colons: { 'k8s:app': 'x:y', ':': ':' },
      };
      for (const [id, label] of Object.entries(labels))
        await admin.post('/v1/devices', { id, labels: label });
      const idsWith = async (label: string): Promise<string[]> => {
        const { body } = await admin.get(`/v1/devices?label=${encodeURIComponent(label)}`);
        return body.devices.map(({ id }: { id: string }) => id);
      };
      expect(await idsWith('site:a:b')).toEqual(['all']);
      expect(await idsWith('site:a')).toEqual(['some']);
      expect(await idsWith('site:')).toEqual([]);
      expect(await idsWith('%:_')).toEqual(['all']);
      expect(await idsWith('k8s:app:x:y')).toEqual(['colons']);
      expect(await idsWith('k8s:app')).toEqual([]);
      expect(await idsWith(':::')).toEqual(['colons']);
      expect(await idsWith(':'.repeat(257))).toEqual([]);
      for (const bad of ['site', ':a', ''])
        expect((await admin.get(`/v1/devices?label=${bad}`)).body.errors).toEqual([
          { pointer: '/label', detail: expect.any(String) },
        ]);
    });

    it.each([
      ['a list', ['site']],
      ['a number in it', { site: 7 }],
      ['an empty name in it', { '': 'x' }],
      ['65 of them', Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, 'x']))],
      ['one of 129 characters', { site: 'x'.repeat(129) }],
    ])('have no labels with %s', async (_, labels) => {
      const { status, body } = await project.admin.post('/v1/devices', { id: aDeviceId(), labels });
      expect([status, body.errors[0].pointer]).toEqual([400, '/labels']);
    });

    describe('that move', () => {
      const move = (id: string, project_id: string, from = '') =>
        system.operator.post(`${devicePath(id)}/move${from && `?from_project_id=${from}`}`, { project_id });

      it('take their keys along, and leave what they wrote', async () => {
        const [here, there] = [await aProject(system), await aProject(system)];
        const { device, device_id } = here;
        const before = (await device.post('/v1/events', anEvent())).body;
        const moved = await move(device_id, there.id);
        expect([moved.status, moved.body.id]).toEqual([200, device_id]);

        expect((await here.admin.get(devicePath(device_id))).status).toBe(404);
        expect((await there.admin.get(devicePath(device_id))).status).toBe(200);
        const keysOf = async (admin: HttpClient): Promise<string[]> =>
          (await admin.get('/v1/keys')).body.keys.map((key: { device_id: string }) => key.device_id);
        expect(await keysOf(here.admin)).not.toContain(device_id);
        expect(await keysOf(there.admin)).toContain(device_id);

        const after = (await device.post('/v1/events', anEvent())).body;
        const seenBy = async (client: HttpClient): Promise<string[]> => {
          const { body } = await client.get(`/v1/events?device_id=${encodeURIComponent(device_id)}`);
          return body.events.map(({ id }: { id: string }) => id);
        };
        expect(await seenBy(here.admin)).toEqual([before.id]);
        expect(await seenBy(there.admin)).toEqual([after.id]);
        expect(await seenBy(device)).toEqual([after.id]);
      });

      it('stay when they are there already, or when there is no such place', async () => {
        const { device_id, id, device } = await aProject(system);
        expect((await move(device_id, id)).status).toBe(200);
        expect((await move(device_id, randomUUID())).status).toBe(404);
        expect((await move(aDeviceId(), id)).status).toBe(404);
        expect((await device.get('/v1/me')).body.project_id).toBe(id);
      });

      it('are not those of a deleted project', async () => {
        const [here, there, gone] = [await aProject(system), await aProject(system), await aProject(system)];
        for (const id of ['left', here.device_id]) await gone.admin.post('/v1/devices', { id });
        await system.operator.delete(`/v1/projects/${gone.id}`);
        expect((await move('left', there.id)).status).toBe(404);
        expect((await move(here.device_id, there.id, gone.id)).status).toBe(404);
        expect((await move(here.device_id, there.id)).status).toBe(200);
      });

      it('do not push out a device that is being registered', async () => {
        const [here, there] = [await aProject(system), await aProject(system)];
        const registration = new Client({ connectionString: system.database_url });
        await registration.connect();
        await registration.query('BEGIN');
        await registration.query(`INSERT INTO auth.devices VALUES ($1, $2, NULL, '{}', now(), 1)`, [
          there.id,
          here.device_id,
        ]);
        const moved = move(here.device_id, there.id);
        await eventually(async () => {
          const waiting = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
          expect(await queryDatabase(system.database_url, waiting)).toHaveLength(1);
        });
        await registration.query('COMMIT');
        await registration.end();
        expect((await moved).body).toMatchObject({ status: 409, code: 'conflict' });
        expect((await here.device.get('/v1/me')).body.project_id).toBe(here.id);
      });

      it('do not push out a device of the same id', async () => {
        const [here, there] = [await aProject(system), await aProject(system)];
        await there.admin.post('/v1/devices', { id: here.device_id });
        const from = here.id;
        expect((await move(here.device_id, there.id)).status).toBe(409);
        expect((await move(here.device_id, there.id, from)).status).toBe(409);
        expect((await here.device.get('/v1/me')).body.project_id).toBe(here.id);
        const third = await aProject(system);
        expect((await move(here.device_id, third.id, from)).status).toBe(200);
        expect((await here.device.get('/v1/me')).body.project_id).toBe(third.id);
      });
    });
  });

  describe('keys', () => {
    it('are made for a device or a member, listed without their secret, and revoked', async () => {
      const expires_at = '2099-01-31T12:00:00+01:00';
      const made = await project.admin.post('/v1/keys', { device_id: project.device_id, expires_at });
      expect(made.status).toBe(201);
      const { key, ...view } = made.body;
      expect(key).toMatch(/^flt_device_/);
      expect(view).toEqual({
        id: expect.stringMatching(UUID),
        member_id: null,
        device_id: project.device_id,
        created_at: expect.stringMatching(TIME),
        expires_at: '2099-01-31T11:00:00.000Z',
        last_used_at: null,
      });
      expect((await project.admin.get('/v1/keys?limit=1000')).body.keys).toContainEqual(view);
      const path = `/v1/keys/${view.id as string}`;
      expect((await project.admin.delete(path)).status).toBe(204);
      expect((await project.admin.delete(path)).status).toBe(404);
      const { keys } = (await project.admin.get('/v1/keys?limit=1000')).body;
      expect(keys.map(({ id }: { id: string }) => id)).not.toContain(view.id);
    });

    it('are made for nobody who does not exist', async () => {
      for (const owner of [{ device_id: aDeviceId() }, { member_id: randomUUID() }])
        expect((await project.admin.post('/v1/keys', owner)).status).toBe(404);
    });
  });

  describe('versions', () => {
    const paths = async () => {
      const { admin, id, viewer_id, device_id } = await aProject(system);
      return [
        { client: admin, path: `/v1/members/${viewer_id}` },
        { client: admin, path: devicePath(device_id) },
        { client: system.operator, path: `/v1/projects/${id}` },
      ];
    };

    it('answer 304 to whoever has the present one', async () => {
      for (const { client, path } of await paths()) {
        const { headers } = await client.get(path);
        const etag = headers.get('etag')!;
        expect(etag).toMatch(/^"[^"]+"$/);
        for (const known of [etag, `W/${etag}`, `"other", ${etag}`, etag.slice(1, -1), '*']) {
          const answer = await client.get(path, { 'if-none-match': known });
          expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([304, '', etag]);
        }
        expect((await client.get(path, { 'if-none-match': '"other"' })).status).toBe(200);
      }
    });

    it('change with the resource, and 412 stops whoever has an old one', async () => {
      for (const { client, path } of await paths()) {
        const old = (await client.get(path)).headers.get('etag')!;
        const changed = await client.patch(path, { name: 'first' }, { 'if-match': old });
        expect(changed.status).toBe(200);
        const now = changed.headers.get('etag')!;
        expect(now).not.toBe(old);
        expect((await client.get(path)).headers.get('etag')).toBe(now);

        for (const late of [
          await client.patch(path, { name: 'second' }, { 'if-match': old }),
          await client.delete(path, { 'if-match': old }),
        ])
          expect(late.body).toMatchObject({ status: 412, code: 'precondition_failed' });
        expect((await client.get(path)).body.name).toBe('first');
        expect((await client.patch(path, { name: 'third' }, { 'if-match': '*' })).status).toBe(200);
        const third = (await client.get(path)).headers.get('etag')!;
        expect((await client.delete(path, { 'if-match': `"other", ${third}` })).status).toBe(204);
      }
    });

    it('of a device are not those of another that had its id before', async () => {
      const { admin } = await aProject(system);
      const path = devicePath('pump');
      const register = async () => (await admin.post('/v1/devices', { id: 'pump' })).headers.get('etag')!;
      const old = await register();
      await admin.delete(path);
      const now = await register();
      expect((await admin.get(path, { 'if-none-match': old })).headers.get('etag')).toBe(now);
      for (const late of [
        await admin.patch(path, { name: 'x' }, { 'if-match': old }),
        await admin.delete(path, { 'if-match': old }),
      ])
        expect(late.status).toBe(412);
      expect((await admin.get(path, { 'if-none-match': old })).status).toBe(200);
      expect((await admin.delete(path, { 'if-match': now })).status).toBe(204);
    });

    it('let one of many concurrent changes through', async () => {
      for (const { client, path } of await paths()) {
        const etag = (await client.get(path)).headers.get('etag')!;
        const answers = await Promise.all(
          Array.from({ length: 10 }, (_, index) =>
            client.patch(path, { name: `change ${index}` }, { 'if-match': etag }),
          ),
        );
        const won = answers.filter(({ status }) => status === 200);
        expect(won).toHaveLength(1);
        expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 412]));
        expect((await client.get(path)).body.name).toBe(won[0]!.body.name);
      }
    });
  });

  describe('lists', () => {
    let full: Project;
    const lists = ['projects', 'members', 'devices', 'keys'];
    beforeAll(async () => {
      full = await aProject(system);
      for (let index = 0; index < 12; index += 1) {
        await system.operator.post('/v1/projects', { name: `list ${index}` });
        await full.admin.post('/v1/members', { email: anEmail(), name: 'with, "comma"', role: 'viewer' });
        await full.admin.post('/v1/devices', { id: aDeviceId(), labels: { nth: `${index}` } });
      }
    });
    const clientOf = (list: string): HttpClient => (list === 'projects' ? system.operator : full.admin);
    const whole = async (list: string, order = 'desc'): Promise<Record<string, unknown>[]> =>
      (await clientOf(list).get(`/v1/${list}?limit=1000&order=${order}`)).body[list];

    it.each(lists)('of %s are walked by cursor, newest first or oldest first', async (list) => {
      for (const order of ['desc', 'asc']) {
        const rows: Record<string, unknown>[] = [];
        let path = `/v1/${list}?limit=5&order=${order}`;
        for (;;) {
          const { status, body, headers } = await clientOf(list).get(path);
          expect(status).toBe(200);
          rows.push(...body[list]);
          if (body.next_cursor === null) {
            expect(headers.get('link')).toBeNull();
            break;
          }
          expect(body[list]).toHaveLength(5);
          const [, link] = /^<(.+)>; rel="next"$/.exec(headers.get('link')!)!;
          expect(new URL(link!, system.url).searchParams.get('cursor')).toBe(body.next_cursor);
          path = link!;
        }
        expect(rows.length).toBeGreaterThan(12);
        expect(rows).toEqual(await whole(list, order));
        const times = rows.map(({ created_at }) => created_at as string);
        expect(times).toEqual(order === 'asc' ? times.toSorted() : times.toSorted().reverse());
      }
    });

    it('show each stable row once while others come and go', async () => {
      const stable = (await whole('devices')).map(({ id }) => id as string);
      const seen: string[] = [];
      let cursor = '';
      do {
        const { body } = await full.admin.get(`/v1/devices?limit=3${cursor && `&cursor=${cursor}`}`);
        seen.push(...body.devices.map(({ id }: { id: string }) => id));
        cursor = body.next_cursor as string;
        const passing = aDeviceId();
        await full.admin.post('/v1/devices', { id: passing });
        await full.admin.delete(devicePath(passing));
        await full.admin.post('/v1/devices', { id: aDeviceId() });
      } while (cursor);
      expect(seen.filter((id) => stable.includes(id))).toEqual(stable);
    });

    it('of large rows end a page early, and lose none', async () => {
      const { admin } = await aProject(system);
      const labels = Object.fromEntries(
        Array.from({ length: 64 }, (_, nth) => [`${nth}`.padEnd(128, 'x'), '😀'.repeat(128)]),
      );
      for (let index = 0; index < 120; index += 1)
        await admin.post('/v1/devices', { id: `large ${index}`, labels });
      const pages: Record<string, unknown>[][] = [];
      for (let cursor = ''; ;) {
        const { body } = await admin.get(`/v1/devices?limit=1000${cursor}`);
        expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(4.1 * 1024 * 1024);
        pages.push(body.devices);
        if (body.next_cursor === null) break;
        cursor = `&cursor=${body.next_cursor as string}`;
      }
      expect(pages.length).toBeGreaterThan(1);
      const lines = await admin.get('/v1/devices', { accept: 'application/x-ndjson' });
      const ids = (lines.body as string)
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { id: string }).id);
      expect(new Set(ids).size).toBe(121);
      expect(pages.flat().map(({ id }) => id)).toEqual(ids);
    });

    it.each(lists)('of %s come whole as NDJSON and as CSV', async (list) => {
      const rows = await whole(list);
      const lines = await clientOf(list).get(`/v1/${list}?limit=2`, { accept: 'application/x-ndjson' });
      expect(lines.headers.get('content-type')).toMatch(/^application\/x-ndjson/);
      const parsed = (lines.body as string)
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown);
      expect(parsed).toEqual(rows);

      const csv = await clientOf(list).get(`/v1/${list}`, { accept: 'text/csv' });
      expect(csv.headers.get('content-type')).toMatch(/^text\/csv/);
      const [head, ...cells] = (csv.body as string).trimEnd().split('\r\n');
      expect(head!.split(',').sort()).toEqual(Object.keys(rows[0]!).sort());
      expect(cells).toHaveLength(rows.length);
      if (list === 'members') expect(csv.body).toContain('"with, ""comma"""');
      if (list === 'devices') expect(csv.body).toContain('"{""nth"":""3""}"');
    });

    it.each(['rubbish', '', '_', 'a'.repeat(513), Buffer.from('["x","y"]').toString('base64url')])(
      'have no page at cursor=%s',
      async (cursor) => {
        for (const list of lists) {
          const { status, body } = await clientOf(list).get(`/v1/${list}?cursor=${cursor}`);
          expect([list, status, body.errors?.[0].pointer]).toEqual([list, 400, '/cursor']);
        }
      },
    );

    it('have a page or a refusal at a cursor that somebody made up', async () => {
      const times = ['2026-01-01T00:00:00.000Z', '0000-01-01T00:00:00.000Z', '+275760-09-13T00:00:00.000Z'];
      const ids = ['x', "'", '\u0000', '\ud800', randomUUID()];
      for (const position of times.flatMap((time) => ids.map((id) => [time, id]))) {
        const cursor = Buffer.from(JSON.stringify(position)).toString('base64url');
        for (const list of [...lists, 'events']) {
          const { status } = await clientOf(list).get(`/v1/${list}?cursor=${cursor}`);
          expect([position, list, status]).toEqual([position, list, status === 200 ? 200 : 400]);
        }
      }
    });
  });
});
