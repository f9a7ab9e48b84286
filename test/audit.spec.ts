import { randomUUID } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { BusConnection } from '#bus';
import { AUDIT_ACTIONS, AUDIT_EVENT, type AuditEntry, type RecordedEvent } from '#contracts';
import { streamName } from '#feeds';
import { eventually, queryDatabase } from '#testing';
import { aDeviceId, anEmail, anEvent } from './builders.js';
import { sendBulk } from './bulk-client.js';
import { type Answer, type HttpClient } from './http-client.js';
import { publishedRoutes } from './openapi-routes.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

type AuditEvent = RecordedEvent & {
  data: Pick<AuditEntry, 'action' | 'subject' | 'who' | 'origin' | 'details'>;
};

interface Entry {
  id: string;
  project_id: string;
  action: string;
}

type Headers = Record<string, string>;

/** A change that is ready to be made, by a request with these headers. */
type Change = (headers: Headers) => Promise<Answer>;

describe('the audit', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem();
  });
  afterAll(() => system.stop());

  const query = <Row>(sql: string, values: unknown[] = []): Promise<Row[]> =>
    queryDatabase<Row>(system.database_url, sql, values);
  /** All that stands in the database, of all projects. */
  const entries = (): Promise<Entry[]> =>
    query('SELECT id, project_id, action FROM auth.audit_entries ORDER BY transaction_id, id');
  /** What work adds to it. */
  const addedBy = async (work: () => Promise<unknown>): Promise<Entry[]> => {
    const known = new Set((await entries()).map(({ id }) => id));
    await work();
    return (await entries()).filter(({ id }) => !known.has(id));
  };
  /** What a reader sees of it, oldest first. */
  const told = async (reader: HttpClient): Promise<AuditEvent[]> => {
    const { body } = await reader.get('/v1/events?component=auth&environment=flotilla&order=asc&limit=1000');
    return body.events as AuditEvent[];
  };
  const expectToldOnce = (): Promise<void> =>
    eventually(async () => {
      const events = await query<{ id: string }>(
        `SELECT id FROM activity_events.events WHERE component = 'auth' AND environment = 'flotilla'`,
      );
      expect(events.map(({ id }) => id).sort()).toEqual((await entries()).map(({ id }) => id).sort());
    }, 20_000);
  const toldOnceTo = async (reader: HttpClient): Promise<AuditEvent[]> => {
    await expectToldOnce();
    return told(reader);
  };
  const actionsOf = (all: { action: string }[]): string[] => all.map(({ action }) => action);

  it('tells who changed what, from where', async () => {
    const { admin } = await aProject(system);
    const me = (await admin.get('/v1/me')).body as { principal: string; address: string; key_id: string };
    const [email, request_id] = [anEmail(), randomUUID()];
    const member = (await admin.post('/v1/members', { email, role: 'viewer' })).body as { id: string };
    await admin.patch(`/v1/members/${member.id}`, { role: 'editor' }, { 'x-request-id': request_id });
    const events = await toldOnceTo(admin);
    expect(events.at(-1)).toEqual({
      ...AUDIT_EVENT,
      id: expect.any(String) as string,
      email: me.address,
      message: `${me.address} changed the role of ${email} from viewer to editor`,
      device_id: null,
      occurred_at: expect.any(String) as string,
      created_at: expect.any(String) as string,
      data: {
        action: 'member.changed',
        subject_id: member.id,
        subject: email,
        who: { role: 'admin', principal: me.principal, address: me.address, key_id: me.key_id },
        origin: { client_ip: '127.0.0.1', request_id },
        details: { changes: { role: { before: 'viewer', after: 'editor' } } },
      },
    });
    expect(events[0]).toMatchObject({
      email: 'operator@flotilla.invalid',
      message: 'The operator made the project north',
      data: { who: { role: 'operator' } },
    });
  });

  it('begins with the first start', async () => {
    const events = await toldOnceTo(system.admin);
    expect(events.slice(0, 2).map(({ message, data }) => [data.action, message])).toEqual([
      ['project.created', 'The operator made the project demo'],
      ['key.created', 'The operator made a key for admin@project.invalid'],
    ]);
    expect(events[0]!.data.who.key_id).toBe(null);
  });

  describe('of every route that changes who may speak', () => {
    const aKeyOf = async ({ admin, device_id }: Project): Promise<string> =>
      (await admin.post('/v1/keys', { device_id })).body.id as string;
    /** What each tells, and how it is called. */
    const CHANGES: Record<string, [tells: string[], (project: Project) => Change | Promise<Change>]> = {
      'POST /v1/projects': [
        ['project.created'],
        () => (headers) => system.operator.post('/v1/projects', { name: 'south' }, headers),
      ],
      'PATCH /v1/projects/{id}': [
        ['project.changed'],
        ({ id }) =>
          (headers) =>
            system.operator.patch(`/v1/projects/${id}`, { name: 'west' }, headers),
      ],
      'DELETE /v1/projects/{id}': [
        ['project.deleted'],
        ({ id }) =>
          (headers) =>
            system.operator.delete(`/v1/projects/${id}`, headers),
      ],
      'POST /v1/members': [
        ['member.created'],
        ({ admin }) => {
          const email = anEmail();
          return (headers) => admin.post('/v1/members', { email, role: 'viewer' }, headers);
        },
      ],
      'PATCH /v1/members/{id}': [
        ['member.changed'],
        ({ admin, viewer_id }) =>
          (headers) =>
            admin.patch(`/v1/members/${viewer_id}`, { name: 'Eve', role: 'admin' }, headers),
      ],
      'DELETE /v1/members/{id}': [
        ['member.deleted'],
        ({ admin, viewer_id }) =>
          (headers) =>
            admin.delete(`/v1/members/${viewer_id}`, headers),
      ],
      'POST /v1/devices': [
        ['device.registered'],
        ({ editor }) => {
          const id = aDeviceId();
          return (headers) => editor.post('/v1/devices', { id, labels: { site: 'north' } }, headers);
        },
      ],
      'PATCH /v1/devices/{device_id}': [
        ['device.changed'],
        ({ editor, device_id }) =>
          (headers) =>
            editor.patch(`/v1/devices/${device_id}`, { labels: { site: 'south' } }, headers),
      ],
      'DELETE /v1/devices/{device_id}': [
        ['device.deleted'],
        ({ editor, device_id }) =>
          (headers) =>
            editor.delete(`/v1/devices/${device_id}`, headers),
      ],
      'POST /v1/devices/{device_id}/move': [
        ['device.moved_away', 'device.moved_here'],
        async ({ device_id }) => {
          const { id: project_id } = await aProject(system);
          return (headers) => system.operator.post(`/v1/devices/${device_id}/move`, { project_id }, headers);
        },
      ],
      'POST /v1/keys': [
        ['key.created'],
        ({ admin, editor_id }) =>
          (headers) =>
            admin.post('/v1/keys', { member_id: editor_id }, headers),
      ],
      'POST /v1/keys/{id}/rotate': [
        ['key.rotated'],
        async (project) => {
          const id = await aKeyOf(project);
          return (headers) => project.admin.post(`/v1/keys/${id}/rotate`, { overlap_seconds: 60 }, headers);
        },
      ],
      'DELETE /v1/keys/{id}': [
        ['key.revoked'],
        async (project) => {
          const id = await aKeyOf(project);
          return (headers) => project.admin.delete(`/v1/keys/${id}`, headers);
        },
      ],
    };

    it('is known what it tells', async () => {
      const routes = (await publishedRoutes(system.admin)).filter(
        ({ method, path }) =>
          method !== 'GET' &&
          /^\/v1\/(projects|members|keys|devices)\b/.test(path) &&
          !/\/(state|firmware)\b/.test(path),
      );
      expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(CHANGES).sort());
      expect([...new Set(Object.values(CHANGES).flatMap(([tells]) => tells))].sort()).toEqual(
        [...AUDIT_ACTIONS].sort(),
      );
    });

    it.each(Object.keys(CHANGES))('tells of %s once, however often it is repeated', async (route) => {
      const [tells, prepare] = CHANGES[route]!;
      const change = await prepare(await aProject(system));
      const headers = { 'idempotency-key': randomUUID() };
      const answers: Answer[] = [];
      const added = await addedBy(async () => {
        for (let times = 0; times < 3; times += 1) answers.push(await change(headers));
      });
      const [first, ...repeats] = answers;
      expect(first!.status).toBeLessThan(300);
      for (const { status, headers } of repeats)
        expect([status, headers.get('idempotency-replayed')]).toEqual(
          route.startsWith('DELETE') ? [expect.any(Number), null] : [first!.status, 'true'],
        );
      expect(actionsOf(added)).toEqual(tells);
      await expectToldOnce();
    });
  });

  it('tells of a device that a write registers, and of no write after that', async () => {
    const { admin, editor, editor_id } = await aProject(system);
    const devices = Array.from({ length: 3 }, aDeviceId);
    const added = await addedBy(async () => {
      for (let times = 0; times < 2; times += 1) {
        const answers = await Promise.all([
          editor.patch(`/v1/devices/${devices[0]!}/state`, { data: { on: true } }),
          editor.post('/v1/events', anEvent({ device_id: devices[1] })),
          editor.patch(`/v1/devices/${devices[2]!}/state/desired`, { data: { on: true } }),
        ]);
        expect(answers.map(({ status }) => status)).toEqual([200, 201, 200]);
      }
    });
    expect(actionsOf(added)).toEqual(Array(3).fill('device.registered'));
    const events = (await toldOnceTo(admin)).slice(-3);
    expect(events.map(({ device_id }) => device_id).sort()).toEqual(devices.sort());
    for (const { data, device_id, message } of events) {
      expect(data.who).toMatchObject({ role: 'editor', principal: editor_id });
      expect(message).toBe(`${data.who.address} registered the device ${device_id!}`);
    }
  });

  it('tells once of a device that is registered together with one that was there', async () => {
    const { editor, device_id } = await aProject(system);
    const devices = [device_id, `${device_id} and more`];
    const lines = devices.map((device_id) => ({ kind: 'event', ...anEvent({ device_id }) }));
    const added = await addedBy(() => sendBulk(editor, lines));
    expect(actionsOf(added)).toEqual(['device.registered']);
  });

  it('tells of no change that changes nothing or is refused', async () => {
    const { id, admin, viewer, editor, viewer_id, device_id } = await aProject(system);
    const { operator } = system;
    const added = await addedBy(async () => {
      const answers = await Promise.all([
        operator.patch(`/v1/projects/${id}`, { name: 'north' }),
        admin.patch(`/v1/members/${viewer_id}`, { role: 'viewer' }),
        editor.patch(`/v1/devices/${device_id}`, { labels: {} }),
        operator.post(`/v1/devices/${device_id}/move`, { project_id: id }),
        operator.post(`/v1/devices/${device_id}/move`, { project_id: id.toUpperCase() }),
        editor.post('/v1/devices', { id: device_id }),
        viewer.delete(`/v1/devices/${device_id}`),
        admin.delete(`/v1/members/${randomUUID()}`),
        admin.delete(`/v1/devices/${device_id}`, { 'if-match': '"9"' }),
        admin.post('/v1/keys', { device_id: 'nobody' }),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 409, 403, 404, 412, 404]);
    });
    expect(added).toEqual([]);
  });

  it('tells two projects of a move, and neither which the other is', async () => {
    const [from, to] = [await aProject(system), await aProject(system)];
    const { device_id } = from;
    await system.operator.post(`/v1/devices/${device_id}/move`, { project_id: to.id });
    const [away, here] = [(await toldOnceTo(from.admin)).at(-1)!, (await told(to.admin)).at(-1)!];
    expect([away.message, here.message]).toEqual([
      `The operator moved the device ${device_id} to another project`,
      `The operator moved the device ${device_id} here from another project`,
    ]);
    expect(away.data.origin.request_id).toBe(here.data.origin.request_id);
    expect(JSON.stringify(away)).not.toContain(to.id);
    expect(JSON.stringify(here)).not.toContain(from.id);
  });

  it('is seen by readers of the project, by a device as far as it is about it, and by nobody else', async () => {
    const project = await aProject(system);
    await project.editor.post('/v1/devices', { id: aDeviceId() });
    const foreign = await aProject(system);
    const events = await toldOnceTo(project.admin);
    expect(events).toHaveLength(5);
    expect(await told(project.viewer)).toEqual(events);
    expect(await told(project.device)).toEqual(
      events.filter(({ device_id }) => device_id === project.device_id),
    );
    const ids = (await told(foreign.admin)).map(({ id }) => id);
    expect(events.filter(({ id }) => ids.includes(id))).toEqual([]);
    const timeline = (await project.viewer.get('/v1/timeline?kinds=event&order=asc')).body as {
      entries: { id: string }[];
    };
    expect(timeline.entries.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
  });

  it('holds no key, and nothing that is kept of one', async () => {
    const { admin, device_id } = await aProject(system);
    const key = (await admin.post('/v1/keys', { device_id })).body as { id: string; key: string };
    const [hash] = await query<{ hex: string }>(
      `SELECT encode(secret_hash, 'hex') AS hex FROM auth.keys WHERE id = $1`,
      [key.id],
    );
    await expectToldOnce();
    const [all] = await query<{ text: string }>(
      `SELECT (SELECT string_agg(audit_entries::text, '') FROM auth.audit_entries)
           || (SELECT string_agg(events::text, '') FROM activity_events.events) AS text`,
    );
    expect(all!.text).toContain(key.id);
    for (const secret of ['flt_', key.key.slice(-48), hash!.hex]) expect(all!.text).not.toContain(secret);
  });

  it('lets nobody speak in its place', async () => {
    const { admin, device } = await aProject(system);
    for (const caller of [admin, device]) {
      const answer = await caller.post('/v1/events', anEvent(AUDIT_EVENT));
      expect([answer.status, answer.body.code]).toEqual([403, 'forbidden']);
      for (const own of [{ component: 'auth' }, { environment: 'flotilla' }])
        expect((await caller.post('/v1/events', anEvent(own))).status).toBe(201);
    }
    await expectToldOnce();
  });

  it('tells once of what is changed while its stream is wiped', async () => {
    const connection = await BusConnection.open({ name: 'gateway', url: system.nats.url });
    const { streams } = await jetstreamManager(connection.nats, { checkAPI: false });
    const { admin } = await aProject(system);
    for (const wipe of ['purge', 'delete'] as const) {
      await expectToldOnce();
      await admin.post('/v1/devices', { id: aDeviceId() });
      await streams[wipe](streamName('audit'));
      const added = await addedBy(() => admin.post('/v1/devices', { id: aDeviceId() }));
      expect(actionsOf(added)).toEqual(['device.registered']);
      await expectToldOnce();
    }
    await connection.close();
  });
});
