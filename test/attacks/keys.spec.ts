import { eventually } from '#testing';
import { randomKey } from '../../apps/gateway/src/auth/key-format.js';
import { publishedRoutes, type Route } from '../openapi-routes.js';
import { rawRequest, sendRaw } from '../raw-http.js';
import { roleFor } from '../role-table.js';
import { startSystem, type System } from '../system.js';
import { aLandscape, type Landscape } from './landscape.js';
import { ask, validRequest, validRequests, withQuery, type Request } from './request.js';
import { expectProblem } from './refusal.js';

/** Keys of one owner. */
interface Keys {
  good: string;
  revoked: string;
  expired: string;
  rotated: string;
}

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const withHeaders = (request: Request, headers: Record<string, string>): Request => ({
  ...request,
  headers: { ...request.headers, ...headers },
});

const WRONG: [string, (request: Request, keys: Keys) => Request][] = [
  ['no key', (request) => request],
  ['an empty key', (request) => withHeaders(request, { 'x-api-key': '' })],
  ['a scheme without a key', (request) => withHeaders(request, { authorization: 'Bearer' })],
  ['another scheme', (request, { good }) => withHeaders(request, { authorization: `Basic ${good}` })],
  [
    'two keys in two headers',
    (request, { good, revoked }) => withHeaders(request, { 'x-api-key': good, api_key: revoked }),
  ],
  ['a key without a scheme', (request, { good }) => withHeaders(request, { authorization: good })],
  ['rubbish', (request) => withHeaders(request, { 'x-api-key': "' OR 1=1 --" })],
  ['a key twice', (request, { good }) => withHeaders(request, { ...bearer(good), 'x-api-key': good })],
  [
    'two keys in a header',
    (request, { good, expired }) => withHeaders(request, { 'x-api-key': `${good}, ${expired}` }),
  ],
  ['a key in the query', (request, { good }) => withQuery(request, { api_key: good, 'x-api-key': good })],
  ['a key in a cookie', (request, { good }) => withHeaders(request, { cookie: `api_key=${good}` })],
  [
    'a wrong checksum',
    (request, { good }) => withHeaders(request, bearer(good.slice(0, -1) + (good.endsWith('0') ? '1' : '0'))),
  ],
  ['a key in capitals', (request, { good }) => withHeaders(request, bearer(good.toUpperCase()))],
  ['a key that nobody was given', (request) => withHeaders(request, bearer(randomKey('member')))],
  ['a revoked key', (request, { revoked }) => withHeaders(request, bearer(revoked))],
  ['an expired key', (request, { expired }) => withHeaders(request, bearer(expired))],
  ['a rotated key', (request, { rotated }) => withHeaders(request, bearer(rotated))],
];

describe('each route without a valid key', () => {
  let system: System;
  let routes: Route[];
  let landscape: Landscape;
  const keysOf: Record<string, Keys> = {};

  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    routes = (await publishedRoutes(system.admin)).filter(({ isPublic }) => !isPublic);
    landscape = await aLandscape(system);
    const { admin, device_id } = landscape.project;
    const { members } = (await admin.get('/v1/members')).body;
    const admin_id = members.find(({ role }: { role: string }) => role === 'admin').id as string;
    for (const [role, owner] of Object.entries({ admin: { member_id: admin_id }, device: { device_id } })) {
      const expires_at = new Date(Date.now() + 1_500).toISOString();
      const made = await Promise.all(
        [{}, {}, {}, { expires_at }].map((rest) => admin.post('/v1/keys', { ...owner, ...rest })),
      );
      const [good, revoked, rotated, expired] = made.map(({ body }) => body.key as string);
      await admin.delete(`/v1/keys/${made[1]!.body.id as string}`);
      await admin.post(`/v1/keys/${made[2]!.body.id as string}/rotate`);
      await eventually(async () => expect((await admin.as(expired).get('/v1/me')).status).toBe(401));
      keysOf[role] = { good: good!, revoked: revoked!, rotated: rotated!, expired: expired! };
    }
    // The operator has one key, which no route makes or ends.
    keysOf.operator = { ...keysOf.admin!, good: system.operator.key! };
  });
  afterAll(() => system.stop());

  it('is a case for each route that is not about health', () => {
    expect(routes.length).toBeGreaterThan(40);
  });

  it.each(WRONG)('answers 401 to %s', async (_, wrong) => {
    const nobody = system.admin.as(undefined);
    for (const route of routes) {
      const role = roleFor(route.name);
      for (const request of validRequests(route, landscape.things(role))) {
        const answer = await ask(nobody, wrong(request, keysOf[role] ?? keysOf.admin!));
        expectProblem(answer, [401], route.name);
        expect(answer.body.code).toBe('unauthenticated');
        expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
        expect(JSON.stringify(answer.body)).not.toContain('flt_');
      }
    }
    expect((await landscape.project.viewer.get('/v1/me')).status).toBe(200);
  });

  it('answers 401 to two headers of one name, whichever of their keys is good', async () => {
    const { good, revoked } = keysOf.admin!;
    for (const [one, other] of [
      [good, revoked],
      [revoked, good],
      [good, good],
    ] as const) {
      const twice = { authorization: `Bearer ${one}`, Authorization: `Bearer ${other}` };
      const bare = { 'x-api-key': one, 'X-API-Key': other };
      for (const keys of [twice, bare]) {
        const raw = rawRequest('GET /v1/me', keys);
        expect((await sendRaw(system.url, raw)).status).toBe(401);
      }
    }
  });

  it('answers HEAD like GET, without a body, and only to who may GET', async () => {
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const role = roleFor(route.name);
      const request = { ...validRequest(route, landscape.things(role)), method: 'HEAD' };
      const head = await ask(landscape.callers[role], request);
      expect([route.name, head.status, head.body]).toEqual([route.name, 200, '']);
      expect([route.name, (await ask(system.admin.as(undefined), request)).status]).toEqual([
        route.name,
        401,
      ]);
    }
  });
});
