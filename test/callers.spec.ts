import { randomUUID } from 'node:crypto';
import { type Role } from '#contracts';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { aDeviceId, anEvent } from './builders.js';
import { type HttpClient } from './http-client.js';
import { aProject, type Project } from './project.js';
import { ROLE_TABLE, ROLES } from './role-table.js';
import { startSystem, type System } from './system.js';

describe('callers', () => {
  let system: System;
  let project: Project;
  let callers: Record<Role, HttpClient>;

  beforeAll(async () => {
    system = await startSystem();
    project = await aProject(system);
    const { admin, editor, viewer, device } = project;
    callers = { operator: system.operator, admin, editor, viewer, device };
  });
  afterAll(() => system.stop());

  it.each(ROLES)('tells a key of role %s who it is and what it may do', async (role) => {
    const { status, body } = await callers[role].get('/v1/me');
    expect(status).toBe(200);
    expect(body).toMatchObject({ role, project_id: role === 'operator' ? null : project.id });
    if (role === 'device')
      expect(body).toMatchObject({ principal: project.device_id, address: project.device_id });
    if (role === 'editor') expect(body.principal).toBe(project.editor_id);
    const may = (body.may as string[]).map((route) => route.replace(/:(\w+)/g, '{$1}'));
    const table = Object.keys(ROLE_TABLE).filter(
      (name) => ROLE_TABLE[name] !== 'public' && ROLE_TABLE[name]!.includes(role),
    );
    expect(may.sort()).toEqual(table.sort());
  });

  describe('the key', () => {
    const me = (headers: Record<string, string>, url = system.url) =>
      system.admin.as(undefined).at(url).get('/v1/me', headers);

    /** What a gateway that is told so answers to each of the keys. */
    const statusesUnder = async (environment: Record<string, string>, keys: string[]): Promise<number[]> => {
      const gateway = await system.anotherGateway(environment);
      const answers = await Promise.all(keys.map((key) => me({ 'x-api-key': key }, gateway.url)));
      await gateway.stop();
      // The gateway that started last says under which secret the operator's key stands.
      await (await system.anotherGateway()).stop();
      return answers.map(({ status }) => status);
    };

    it.each([
      ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
      ['Authorization: bearer', (key: string) => ({ authorization: `bearer ${key}` })],
      ['X-API-Key', (key: string) => ({ 'x-api-key': key })],
      ['api_key', (key: string) => ({ api_key: key })],
    ])('is taken from %s', async (_, header) => {
      expect((await me(header(project.viewer.key!))).body.role).toBe('viewer');
    });

    it('is refused twice in the same header', async () => {
      const headers = new Headers();
      headers.append('x-api-key', project.viewer.key!);
      headers.append('x-api-key', project.viewer.key!);
      expect((await fetch(`${system.url}/v1/me`, { headers })).status).toBe(401);
    });

    it('is not taken from the query', async () => {
      const { status } = await system.admin.as(undefined).get(`/v1/me?api_key=${project.viewer.key!}`);
      expect(status).toBe(401);
    });

    it('is worthless under another KEY_SECRET, unless it is the operator’s or the first admin’s', async () => {
      const keys = [system.operator.key!, system.admin.key!, project.viewer.key!];
      expect(await statusesUnder({ KEY_SECRET: randomUUID() }, keys)).toEqual([200, 200, 401]);
      expect(await statusesUnder({}, keys)).toEqual([200, 200, 200]);
    });

    it('does not come back to life under another KEY_SECRET', async () => {
      const FLOTILLA_ADMIN_KEY = randomKey('member');
      expect(await statusesUnder({ FLOTILLA_ADMIN_KEY }, [FLOTILLA_ADMIN_KEY])).toEqual([200]);
      const { key_id } = (await system.admin.as(FLOTILLA_ADMIN_KEY).get('/v1/me')).body;
      expect((await system.admin.delete(`/v1/keys/${key_id as string}`)).status).toBe(204);
      const environment = { FLOTILLA_ADMIN_KEY, KEY_SECRET: randomUUID() };
      expect(await statusesUnder(environment, [FLOTILLA_ADMIN_KEY])).toEqual([401]);
    });
  });

  describe('a device', () => {
    it('writes and reads events of its own', async () => {
      const { status, body } = await project.device.post('/v1/events', anEvent());
      expect(status).toBe(201);
      expect(body.device_id).toBe(project.device_id);
      expect((await project.device.get(`/v1/events/${body.id as string}`)).body).toEqual(body);
    });

    it('may not write for another device', async () => {
      const other = (await project.admin.post('/v1/devices', { id: aDeviceId() })).body.id as string;
      const { status, body } = await project.device.post('/v1/events', anEvent({ device_id: other }));
      expect({ status, code: body.code as string }).toEqual({ status: 403, code: 'forbidden' });
    });

    it('sees nothing of other devices, nor of no device', async () => {
      const others = await Promise.all(
        [{}, { device_id: aDeviceId() }].map((rest) => project.editor.post('/v1/events', anEvent(rest))),
      );
      const { body } = await project.device.get('/v1/events?limit=1000');
      expect(new Set(body.events.map((event: { device_id: string }) => event.device_id))).toEqual(
        new Set([project.device_id]),
      );
      for (const { body: other } of others) {
        expect((await project.device.get(`/v1/events/${other.id as string}`)).status).toBe(404);
        const filtered = `/v1/events?device_id=${encodeURIComponent((other.device_id as string | null) ?? 'none')}`;
        expect((await project.device.get(filtered)).body.events).toEqual([]);
      }
    });
  });

  describe('another project', () => {
    let other: Project;
    beforeAll(async () => {
      other = await aProject(system, 'south');
    });

    it('cannot be given a key from here', async () => {
      const body = { member_id: other.editor_id };
      expect((await project.admin.post('/v1/keys', body)).status).toBe(404);
      expect((await project.admin.post('/v1/keys', { device_id: other.device_id })).status).toBe(404);
    });

    it('may use the same device ids and addresses', async () => {
      expect((await project.admin.post('/v1/devices', { id: other.device_id })).status).toBe(201);
      const email = (await other.admin.get(`/v1/members/${other.editor_id}`)).body.email as string;
      expect((await project.admin.post('/v1/members', { email, role: 'viewer' })).status).toBe(201);
    });
  });

  it('are an admin of the oldest project named demo that is left, with another FLOTILLA_ADMIN_KEY', async () => {
    const first = (await system.admin.get('/v1/me')).body.project_id as string;
    const [second] = [await aProject(system, 'demo'), await aProject(system, 'demo')];
    // Where a row stands in its table says nothing of its age: a change puts it behind the others.
    for (const name of ['other', 'demo']) await system.operator.patch(`/v1/projects/${first}`, { name });
    for (const id of [first, second.id]) {
      const FLOTILLA_ADMIN_KEY = randomKey('member');
      await (await system.anotherGateway({ FLOTILLA_ADMIN_KEY })).stop();
      const { body } = await system.admin.as(FLOTILLA_ADMIN_KEY).get('/v1/me');
      expect(body).toMatchObject({ role: 'admin', project_id: id });
      await system.operator.delete(`/v1/projects/${id}`);
    }
  });
});
