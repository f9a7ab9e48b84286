import { randomUUID } from 'node:crypto';
import { type Role } from '#contracts';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { aDeviceId, anEvent } from './builders.js';
import { type HttpClient } from './http-client.js';
import { pathOf, publishedRoutes, type Route } from './openapi-routes.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

const OPERATOR: Role[] = ['operator'];
const ADMIN: Role[] = ['admin'];
const WRITERS: Role[] = ['admin', 'editor'];
const READERS: Role[] = ['admin', 'editor', 'viewer'];
const CORRESPONDENTS: Role[] = ['admin', 'editor', 'device'];
const ANY: Role[] = ['operator', 'admin', 'editor', 'viewer', 'device'];

/** Who may use which route. A published route that is missing here fails the test. */
const MAY: Record<string, Role[] | 'public'> = {
  'GET /health': 'public',
  'GET /health/live': 'public',
  'GET /health/ready': 'public',
  'GET /v1/me': ANY,
  'POST /v1/projects': OPERATOR,
  'GET /v1/projects': OPERATOR,
  'GET /v1/projects/{id}': OPERATOR,
  'PATCH /v1/projects/{id}': OPERATOR,
  'DELETE /v1/projects/{id}': OPERATOR,
  'POST /v1/members': ADMIN,
  'GET /v1/members': ADMIN,
  'GET /v1/members/{id}': ADMIN,
  'PATCH /v1/members/{id}': ADMIN,
  'DELETE /v1/members/{id}': ADMIN,
  'POST /v1/devices': WRITERS,
  'GET /v1/devices': READERS,
  'GET /v1/devices/{device_id}': READERS,
  'PATCH /v1/devices/{device_id}': WRITERS,
  'DELETE /v1/devices/{device_id}': WRITERS,
  'POST /v1/devices/{device_id}/move': OPERATOR,
  'POST /v1/keys': ADMIN,
  'GET /v1/keys': ADMIN,
  'DELETE /v1/keys/{id}': ADMIN,
  'POST /v1/keys/{id}/rotate': ADMIN,
  'POST /v1/bulk': ['admin', 'editor', 'device'],
  'POST /v1/events': ['admin', 'editor', 'device'],
  'GET /v1/events': ['admin', 'editor', 'viewer', 'device'],
  'GET /v1/events/histogram': ['admin', 'editor', 'viewer', 'device'],
  'GET /v1/events/{id}': ['admin', 'editor', 'viewer', 'device'],
  'PATCH /v1/devices/{device_id}/state': ['admin', 'editor', 'device'],
  'PUT /v1/devices/{device_id}/state': ['admin', 'editor', 'device'],
  'GET /v1/devices/{device_id}/state': ['admin', 'editor', 'viewer', 'device'],
  'DELETE /v1/devices/{device_id}/state': WRITERS,
  'GET /v1/devices/{device_id}/state/history': ['admin', 'editor', 'viewer', 'device'],
  'PATCH /v1/devices/{device_id}/state/desired': WRITERS,
  'PUT /v1/devices/{device_id}/state/desired': WRITERS,
  'GET /v1/states': ['admin', 'editor', 'viewer', 'device'],
  'POST /v1/devices/{device_id}/firmware': ['device'],
  'GET /v1/devices/{device_id}/firmware': ['admin', 'editor', 'viewer', 'device'],
  'GET /v1/firmware/adoption': READERS,
  'POST /v1/prices': WRITERS,
  'GET /v1/prices/changes': READERS,
  'GET /v1/prices/{product_id}': READERS,
  'GET /v1/timeline': ['admin', 'editor', 'viewer', 'device'],
  'GET /v1/devices/{device_id}/timeline': ['admin', 'editor', 'viewer', 'device'],
  'POST /v1/messages': CORRESPONDENTS,
  'PUT /v1/messages/{id}': CORRESPONDENTS,
  'GET /v1/messages': [...CORRESPONDENTS, 'viewer'],
  'GET /v1/messages/{id}': [...CORRESPONDENTS, 'viewer'],
  'DELETE /v1/messages/{id}': CORRESPONDENTS,
  'GET /v1/conversations': [...CORRESPONDENTS, 'viewer'],
  'GET /v1/conversations/{peer}': [...CORRESPONDENTS, 'viewer'],
  'POST /v1/conversations/{peer}/read': CORRESPONDENTS,
};

/** Writes about a device that the project does not have register it: another project's is none of its own. */
const REGISTERING = /^(PATCH|PUT) .*\/state/;

describe('callers', () => {
  let system: System;
  let routes: Route[];
  let project: Project;
  let callers: Record<Role, HttpClient>;

  beforeAll(async () => {
    system = await startSystem();
    routes = await publishedRoutes(system.admin);
    project = await aProject(system);
    const { admin, editor, viewer, device } = project;
    callers = { operator: system.operator, admin, editor, viewer, device };
  });
  afterAll(() => system.stop());

  /** A request of the right form for nothing that exists, so that only the caller decides how far it gets. */
  const knock = (client: HttpClient, route: Route) =>
    client.send(
      route.method,
      pathOf(route, {
        id: randomUUID(),
        device_id: aDeviceId(),
        product_id: randomUUID(),
        peer: aDeviceId(),
      }),
      ['POST', 'PATCH', 'PUT'].includes(route.method) ? {} : undefined,
    );

  it('has a row in its table for each route, and no row too many', () => {
    expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(MAY).sort());
  });

  it.each(ANY)('lets a key of role %s use its routes and no others', async (role) => {
    for (const route of routes) {
      const { status, body } = await knock(callers[role], route);
      const may = MAY[route.name]!;
      const isIn = may === 'public' || may.includes(role);
      expect({ route: route.name, isIn: status !== 401 && status !== 403 }).toEqual({
        route: route.name,
        isIn,
      });
      if (!isIn) expect(body).toMatchObject({ status: 403, code: 'forbidden' });
    }
  });

  it('answers nobody without a key, except about its health', async () => {
    for (const route of routes) {
      const { status, headers } = await knock(system.admin.as(undefined), route);
      if (MAY[route.name] === 'public') expect(status).not.toBe(401);
      else {
        expect({ route: route.name, status }).toEqual({ route: route.name, status: 401 });
        expect(headers.get('www-authenticate')).toMatch(/^Bearer/);
      }
    }
  });

  it.each(ANY)('tells a key of role %s who it is and what it may do', async (role) => {
    const { status, body } = await callers[role].get('/v1/me');
    expect(status).toBe(200);
    expect(body).toMatchObject({ role, project_id: role === 'operator' ? null : project.id });
    if (role === 'device')
      expect(body).toMatchObject({ principal: project.device_id, address: project.device_id });
    if (role === 'editor') expect(body.principal).toBe(project.editor_id);
    const may = (body.may as string[]).map((route) => route.replace(/:(\w+)/g, '{$1}'));
    const table = Object.keys(MAY).filter((name) => MAY[name] !== 'public' && MAY[name]!.includes(role));
    expect(may.sort()).toEqual(table.sort());
  });

  describe('the key', () => {
    const me = (headers: Record<string, string>) => system.admin.as(undefined).get('/v1/me', headers);

    it.each([
      ['Authorization: Bearer', (key: string) => ({ authorization: `Bearer ${key}` })],
      ['Authorization: bearer', (key: string) => ({ authorization: `bearer ${key}` })],
      ['X-API-Key', (key: string) => ({ 'x-api-key': key })],
      ['api_key', (key: string) => ({ api_key: key })],
    ])('is taken from %s', async (_, header) => {
      expect((await me(header(project.viewer.key!))).body.role).toBe('viewer');
    });

    it.each([
      [
        'two headers with two keys',
        (one: string, two: string) => ({ authorization: `Bearer ${one}`, 'x-api-key': two }),
      ],
      ['two headers with the same key', (one: string) => ({ 'x-api-key': one, api_key: one })],
      ['one header with two keys', (one: string, two: string) => ({ 'x-api-key': `${one}, ${two}` })],
      ['an empty key', () => ({ 'x-api-key': '' })],
      ['a scheme without a key', () => ({ authorization: 'Bearer' })],
      ['another scheme', (one: string) => ({ authorization: `Basic ${one}` })],
      ['a key without a scheme', (one: string) => ({ authorization: one })],
      [
        'a wrong checksum',
        (one: string) => ({ 'x-api-key': one.slice(0, -1) + (one.endsWith('0') ? '1' : '0') }),
      ],
      ['a key in capitals', (one: string) => ({ 'x-api-key': one.toUpperCase() })],
      ['a well-formed key that nobody was given', () => ({ 'x-api-key': randomKey('member') })],
      ['rubbish', () => ({ 'x-api-key': "' OR 1=1 --" })],
    ])('is refused: %s', async (_, headers) => {
      const answer = await me(headers(project.viewer.key!, project.admin.key!));
      expect(answer.status).toBe(401);
      expect(answer.body).toMatchObject({ code: 'unauthenticated', status: 401 });
      expect(JSON.stringify(answer.body)).not.toContain('flt_member');
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

    it('of another instance opens nothing', async () => {
      const other = await system.anotherGateway({ KEY_SECRET: randomUUID() });
      try {
        expect((await project.viewer.at(other.url).get('/v1/me')).status).toBe(401);
      } finally {
        await other.stop();
      }
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

    it('answers about its ids just as about ids that do not exist', async () => {
      const key = await other.admin.post('/v1/keys', { device_id: other.device_id });
      const event = await other.admin.post('/v1/events', anEvent());
      const state = `/v1/devices/${encodeURIComponent(other.device_id)}/state`;
      expect((await other.device.patch(state, { data: { a: 1 } })).status).toBe(200);
      const product_id = randomUUID();
      await other.admin.post('/v1/prices', { product_id, price: '1' });
      const message = await other.admin.post('/v1/messages', { recipient: other.device_id, message: 'm' });
      const member = { id: other.editor_id, device_id: other.device_id };
      const foreign: Record<string, Record<string, string>> = {
        '/v1/members/{id}': member,
        '/v1/devices/{device_id}': member,
        '/v1/devices/{device_id}/state': member,
        '/v1/devices/{device_id}/state/history': member,
        '/v1/devices/{device_id}/firmware': member,
        '/v1/devices/{device_id}/timeline': member,
        '/v1/keys/{id}': { id: key.body.id as string },
        '/v1/keys/{id}/rotate': { id: key.body.id as string },
        '/v1/events/{id}': { id: event.body.id as string },
        '/v1/prices/{product_id}': { product_id },
        '/v1/messages/{id}': { id: message.body.id as string },
        '/v1/conversations/{peer}': { peer: other.device_id },
        '/v1/conversations/{peer}/read': { peer: other.device_id },
      };
      const bodies: Record<string, object> = { '/v1/conversations/{peer}/read': { up_to: message.body.id } };
      // PUT makes what is not there: an id that others use is as good as any.
      const withIds = routes.filter(
        ({ name, path, method, parameters }) =>
          parameters.length > 0 &&
          MAY[name]!.includes('admin') &&
          !REGISTERING.test(name) &&
          !(method === 'PUT' && path === '/v1/messages/{id}'),
      );
      expect(new Set(withIds.map(({ path }) => path))).toEqual(new Set(Object.keys(foreign)));
      for (const route of withIds) {
        const ask = (values: Record<string, string>) =>
          project.admin.send(
            route.method,
            pathOf(route, values),
            ['POST', 'PATCH'].includes(route.method) ? (bodies[route.path] ?? {}) : undefined,
          );
        const theirs = await ask(foreign[route.path]!);
        const nobodys = await ask({
          id: randomUUID(),
          device_id: aDeviceId(),
          product_id: randomUUID(),
          peer: aDeviceId(),
        });
        expect({ route: route.name, status: theirs.status }).toEqual({ route: route.name, status: 404 });
        expect({ ...theirs.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' });
      }
      expect((await other.editor.get('/v1/me')).status).toBe(200);
    });

    it('shows up in no list, filter or cursor', async () => {
      const label = { secret: randomUUID() };
      const theirs = (await other.admin.post('/v1/devices', { id: aDeviceId(), labels: label })).body;
      const found = await project.admin.get(`/v1/devices?label=secret:${label.secret}`);
      expect(found.body).toEqual({ devices: [], next_cursor: null });

      await Promise.all([1, 2, 3].map(() => other.admin.post('/v1/events', anEvent({ component: 'spy' }))));
      const theirPage = await other.admin.get('/v1/events?component=spy&limit=1');
      const cursor = theirPage.body.next_cursor as string;
      expect(cursor).toEqual(expect.any(String));
      const taken = await project.admin.get(`/v1/events?limit=1000&cursor=${cursor}`);
      expect(taken.status).toBe(200);
      expect(taken.body.events.filter((event: { component: string }) => event.component === 'spy')).toEqual(
        [],
      );
      for (const list of ['members', 'devices', 'keys']) {
        const { body } = await project.admin.get(`/v1/${list}?limit=1000`);
        expect(JSON.stringify(body)).not.toContain(other.editor_id);
        expect(JSON.stringify(body)).not.toContain(theirs.id);
      }
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
});
