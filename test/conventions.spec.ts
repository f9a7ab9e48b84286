import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { anEmail, anEvent } from './builders.js';
import { type Answer } from './http-client.js';
import { pathOf, publishedRoutes, type Route } from './openapi-routes.js';
import { rawRequest, sendRaw } from './raw-http.js';
import { startSystem, type Gateway, type System } from './system.js';

const KIB = 1024;

describe('conventions', () => {
  let system: System;
  let routes: Route[];
  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    routes = await publishedRoutes(system.admin);
  });
  afterAll(() => system.stop());

  const expectProblem = ({ status, headers, body }: Answer, expected: number, code: string): void => {
    expect({ status, code: body.code as string }).toEqual({ status: expected, code });
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({
      type: expect.any(String),
      title: expect.any(String),
      status: expected,
      detail: expect.any(String),
      request_id: headers.get('x-request-id'),
    });
    const known = ['type', 'title', 'status', 'detail', 'code', 'request_id', 'errors'];
    expect(Object.keys(body as object).filter((name) => !known.includes(name))).toEqual([]);
    expect(JSON.stringify(body)).not.toMatch(/ at .+:\d+|node_modules|SELECT|INSERT|activity-events\./);
  };
  const postEvent = (body: string, headers: Record<string, string> = {}) =>
    system.admin.post('/v1/events', body, headers);
  /** An event as JSON text, with something put in that no builder would write. */
  const eventText = (more: string): string => `${JSON.stringify(anEvent()).slice(0, -1)},${more}}`;
  const bearer = () => ({ authorization: `Bearer ${system.admin.key!}` });

  describe('a path', () => {
    it.each([
      '/',
      '/v1',
      '/v1/nothing',
      '/v2/events',
      '/v1/events/1/2',
      '/V1/EVENTS',
      '/v1/events/',
      '/favicon.ico',
    ])('that nothing answers is a 404 problem: %s', async (path) => {
      for (const client of [system.admin, system.admin.as(undefined)])
        expectProblem(await client.get(path), 404, 'not_found');
    });

    it('with an id longer than any is a 400 problem', async () => {
      for (const id of ['x'.repeat(129), 'x'.repeat(2_049), 'x'.repeat(10_000)])
        expectProblem(await system.admin.get(`/v1/devices/${id}`), 400, 'invalid');
    });

    it('with broken percent-encoding is a 400 problem', async () => {
      for (const path of ['/v1/events/%', '/v1/devices/%zz', '/v1/devices/%ff', '/%']) {
        const answer = await sendRaw(system.url, rawRequest(`GET ${path}`, bearer()));
        expect([path, answer.status]).toEqual([path, 400]);
        expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: 'invalid' });
      }
    });
  });

  describe('a method', () => {
    const known = (path: string): string[] =>
      routes.filter((route) => route.path === path).map(({ method }) => method);

    it('that a route does not know is a 405 that names those it knows', async () => {
      for (const path of new Set(routes.map((route) => route.path))) {
        const values = { id: randomUUID(), device_id: 'a/b c' };
        const at = pathOf({ path }, values);
        for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
          if (known(path).includes(method)) continue;
          // GET /v1/events/histogram is also an id for the methods of /v1/events/{id}, but knows none of them.
          const answer = await system.admin.send(method, at, method === 'GET' ? undefined : {});
          expect([method, path, answer.status]).toEqual([method, path, 405]);
          expectProblem(answer, 405, 'method_not_allowed');
          const allowed = answer.headers
            .get('allow')!
            .split(', ')
            .filter((name) => name !== 'HEAD');
          expect([path, allowed.sort()]).toEqual([path, known(path).sort()]);
        }
      }
    });

    it.each([
      ['PUT', '/v1/bulk', 'application/x-ndjson', '{}\n'],
      ['POST', '/v1/devices/p/state', 'application/merge-patch+json', '{}'],
      ['POST', '/v1/me', 'application/json', '{'],
      ['POST', '/v1/me', 'application/json', ' '.repeat(256 * KIB + 1)],
      ['POST', '/v1/me', 'text/plain', 'text'],
    ])(
      '%s to %s is a 405, and to nowhere a 404, with a body of %s that nobody could read',
      async (...asked) => {
        const [method, path, type, body] = asked;
        const send = (to: string) => system.admin.send(method, to, body, { 'content-type': type });
        const refused = await send(path);
        expectProblem(refused, 405, 'method_not_allowed');
        const allowed = refused.headers.get('allow')!.split(', ');
        expect(allowed.filter((name) => name !== 'HEAD').sort()).toEqual(
          known(path.replace('/p/', '/{device_id}/')).sort(),
        );
        expectProblem(await send('/v1/nothing'), 404, 'not_found');
      },
    );

    it('cannot be overridden', async () => {
      const before = (await system.admin.get('/v1/events?limit=1000')).body.events.length as number;
      for (const header of ['x-http-method-override', 'x-http-method', 'x-method-override'])
        expect((await system.admin.get('/v1/events?_method=POST', { [header]: 'POST' })).status).toBe(400);
      const made = await system.admin.send('POST', '/v1/events', anEvent(), {
        'x-http-method-override': 'DELETE',
      });
      expect(made.status).toBe(201);
      const after = (await system.admin.get('/v1/events?limit=1000')).body.events.length as number;
      expect(after).toBe(before + 1);
    });

    it.each(['TRACE', 'PROPFIND', 'BREW'])('%s is refused', async (method) => {
      const { status } = await sendRaw(system.url, rawRequest(`${method} /v1/events`, bearer()));
      expect([400, 404, 405, 501]).toContain(status);
    });
  });

  describe('a body', () => {
    it.each([
      ['nothing', ''],
      ['blank', '  \n'],
      ['cut off', '{"component":'],
      ['two values', '{}{}'],
      ['a comma too many', '{"a":1,}'],
      ['a comment', '{/* */}'],
      ['NaN', '{"data":NaN}'],
      ['a byte order mark', '\ufeff{}'],
      ['a list', '[]'],
      ['null', 'null'],
      ['a number', '7'],
      ['a string', '"x"'],
    ])('that is %s is a 400 problem', async (_, text) => {
      expectProblem(await postEvent(text), 400, 'invalid');
    });

    it.each([
      ['a number too large for a double', '"data":{"n":1e400}'],
      ['2^53 + 1', '"data":{"n":9007199254740993}'],
      ['two equal names', '"data":{"n":1,"n":2}'],
      ['two equal names, one of them escaped', '"data":{"n":1,"\\u006e":2}'],
      ['a name twice at the top', '"component":"again"'],
      ['__proto__', '"__proto__":{"admin":true}'],
      ['__proto__ inside', '"data":{"__proto__":{"admin":true}}'],
      ['__proto__, escaped', '"data":{"__\\u0070roto__":{"admin":true}}'],
      ['constructor.prototype', '"data":{"constructor":{"prototype":{"admin":true}}}'],
      ['NUL', '"data":{"text":"\\u0000"}'],
      ['NUL in a name', '"data":{"a\\u0000":1}'],
      ['half of a surrogate pair', '"data":{"text":"\\ud800"}'],
      ['too many levels', `"data":{"deep":${'['.repeat(100)}${']'.repeat(100)}}`],
      ['an unknown field', '"colour":"red"'],
    ])('with %s is a 400 problem, and pollutes nothing', async (_, more) => {
      const text = eventText(more).replace(/"data":\{"invoice":42\},(?=.*"data":)/, '');
      expectProblem(await postEvent(text), 400, 'invalid');
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    });

    it.each([
      ['/component', { component: '' }],
      ['/component', { component: 7 }],
      ['/component', { component: null }],
      ['/component', { component: ['billing'] }],
      ['/component', { component: 'x'.repeat(129) }],
      ['/component', { component: undefined }],
      ['/environment', { environment: ' \t ' }],
      ['/email', { email: 'nobody' }],
      ['/email', { email: 'a@b@c.example' }],
      ['/message', { message: {} }],
      ['/data', { data: [] }],
      ['/data', { data: 'text' }],
      ['/data', { data: null }],
      ['/device_id', { device_id: '' }],
      ['/device_id', { device_id: 'a\u0001' }],
      ['/id', { id: '7' }],
      ['/occurred_at', { occurred_at: '2026-02-30T00:00:00Z' }],
      ['/occurred_at', { occurred_at: '2026-01-01T00:00:00' }],
      ['/occurred_at', { occurred_at: '0000-01-01T00:00:00Z' }],
      ['/occurred_at', { occurred_at: '9999-12-31T23:59:60Z' }],
      ['/occurred_at', { occurred_at: 1_700_000_000 }],
      ['/project_id', { project_id: randomUUID() }],
      ['/created_at', { created_at: '2026-01-01T00:00:00Z' }],
      ['/role', { role: 'admin' }],
      ['/a~1b~0c', { 'a/b~c': 1 }],
      ['/toString', { toString: 'x' }],
    ])('is refused naming %s for %j', async (pointer, wrong) => {
      const answer = await system.admin.post('/v1/events', anEvent(wrong));
      expectProblem(answer, 400, 'invalid');
      expect(answer.body.errors).toEqual([{ pointer, detail: expect.any(String) }]);
    });

    it('is refused naming every wrong place at once', async () => {
      const { body } = await system.admin.post('/v1/events', { component: '', colour: 'red' });
      const pointers = body.errors.map(({ pointer }: { pointer: string }) => pointer).sort();
      expect(pointers).toEqual(['/colour', '/component', '/data', '/email', '/environment', '/message']);
    });

    it('that is not UTF-8 is a 400 problem', async () => {
      const body = Buffer.concat([
        Buffer.from('{"component":"'),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('"}'),
      ]);
      const headers = { ...bearer(), 'content-type': 'application/json' };
      const response = await fetch(`${system.url}/v1/events`, { method: 'POST', headers, body });
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'invalid']);
    });

    it('of 256 KiB passes, and of one byte more is a 413 problem', async () => {
      const empty = Buffer.byteLength(JSON.stringify(anEvent({ data: { fill: '' } })));
      const ofSize = (bytes: number) =>
        JSON.stringify(anEvent({ data: { fill: 'x'.repeat(bytes - empty) } }));
      expect((await postEvent(ofSize(256 * KIB))).status).toBe(201);
      expectProblem(await postEvent(ofSize(256 * KIB + 1)), 413, 'too_large');
    });

    it.each([
      ['broken', '/v1/events', 'application/json', '{'],
      ['too large', '/v1/events', 'application/json', ' '.repeat(256 * KIB + 1)],
      ['of another type', '/v1/events', 'text/plain', 'text'],
      ['a bulk', '/v1/bulk', 'application/x-ndjson', '{}\n'],
    ])('that is %s is a 401 problem without a key', async (_, path, type, body) => {
      const answer = await system.admin.as(undefined).send('POST', path, body, { 'content-type': type });
      expectProblem(answer, 401, 'unauthenticated');
    });

    it('that is longer than any ends its connection without a key: nobody reads so much', async () => {
      const json = { 'content-type': 'application/json' };
      const lengths = [256 * KIB, 256 * KIB + 1].map((bytes) => ' '.repeat(bytes));
      const answers = await Promise.all(
        lengths.map((body) => system.admin.as(undefined).send('POST', '/v1/events', body, json)),
      );
      expect(answers.map(({ headers }) => headers.get('connection'))).toEqual(['keep-alive', 'close']);
    });

    it('is not waited for without a key', async () => {
      const headers = { 'content-type': 'application/json', 'content-length': '100' };
      const began = performance.now();
      const { status } = await sendRaw(system.url, `${rawRequest('POST /v1/events', headers)}{`);
      expect(status).toBe(401);
      expect(performance.now() - began).toBeLessThan(10_000);
    });

    it('that grows too large without saying so is a 413 problem', async () => {
      const headers = { ...bearer(), 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
      const chunk = `${(300 * KIB).toString(16)}\r\n${' '.repeat(300 * KIB)}\r\n`;
      const answer = await sendRaw(system.url, rawRequest('POST /v1/events', headers) + chunk);
      expect(answer.status).toBe(413);
    });

    it('with twenty thousand unknown names is refused, and the server still answers', async () => {
      const names = Array.from({ length: 20_000 }, (_, index) => `"${index.toString(36)}":0`).join(',');
      expect((await postEvent(eventText(`"more":{${names}}`))).status).toBe(400);
      expect((await system.admin.get('/v1/me')).status).toBe(200);
    });

    it.each([
      'text/plain',
      'application/xml',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'nonsense',
    ])('of type %s is a 415 problem', async (type) => {
      const answer = await postEvent(JSON.stringify(anEvent()), { 'content-type': type });
      expectProblem(answer, 415, 'unsupported_media_type');
    });

    it.each(['gzip', 'br', 'deflate', 'zstd', 'nonsense'])('in %s is a 415 problem', async (encoding) => {
      const answer = await postEvent(JSON.stringify(anEvent()), { 'content-encoding': encoding });
      expectProblem(answer, 415, 'unsupported_media_type');
    });

    it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON'])(
      'of type %s passes',
      async (type) => {
        const answer = await postEvent(JSON.stringify(anEvent()), { 'content-type': type });
        expect(answer.status).toBe(201);
      },
    );

    it('that is none may have a type, as many clients send one with each request', async () => {
      const type = { 'content-type': 'application/json' };
      const device = (await system.admin.post('/v1/devices', { id: 'typed' })).body as { key: string };
      const { key_id: id } = (await system.admin.as(device.key).get('/v1/me')).body as { key_id: string };
      expect((await system.admin.send('POST', `/v1/keys/${id}/rotate`, undefined, type)).status).toBe(201);
      expect((await system.admin.send('DELETE', '/v1/devices/typed', undefined, type)).status).toBe(204);
      expectProblem(await system.admin.send('POST', '/v1/events', undefined, type), 400, 'invalid');
    });

    it('comes back as it went in: numbers, Unicode and the order of names', async () => {
      const data = '{"z":1,"a":[1.50,-0,1e3,9007199254740991,0.1],"ß":"🚰 \\"quoted\\" \\\\ ","empty":{}}';
      const text = `${JSON.stringify({ ...anEvent(), data: undefined }).slice(0, -1)},"data":${data}}`;
      const { status, body } = await postEvent(text);
      expect(status).toBe(201);
      expect(JSON.stringify(body.data)).toBe(JSON.stringify(JSON.parse(data)));
      const again = await system.admin.get(`/v1/events/${body.id as string}`);
      expect(JSON.stringify(again.body.data)).toBe(JSON.stringify(JSON.parse(data)));
    });
  });

  describe('made for each route', () => {
    it('an id that is none is a 400 problem', async () => {
      for (const route of routes.filter(({ parameters }) => parameters.includes('id'))) {
        const client = route.path.includes('projects') ? system.operator : system.admin;
        const body = ['POST', 'PATCH', 'PUT'].includes(route.method) ? {} : undefined;
        for (const id of ["' OR 1=1 --", '7', '00000000', '*', '>', 'a.b'])
          expectProblem(await client.send(route.method, pathOf(route, { id }), body), 400, 'invalid');
      }
    });
  });

  describe('a request id', () => {
    it('is taken when it is sane, and made otherwise', async () => {
      const asked = async (id?: string): Promise<string> =>
        (await system.admin.get('/v1/me', id === undefined ? {} : { 'x-request-id': id })).headers.get(
          'x-request-id',
        )!;
      for (const id of ['a', 'trace:01.x_y-z', 'x'.repeat(128)]) expect(await asked(id)).toBe(id);
      for (const id of [undefined, '', 'x'.repeat(129), 'with space', '{"json":1}', "'"])
        expect(await asked(id)).toMatch(/^[\da-f]{8}-[\da-f-]{27}$/);
    });

    it('is in the problem too', async () => {
      const { body } = await system.admin.get('/v1/nothing', { 'x-request-id': 'mine' });
      expect(body.request_id).toBe('mine');
    });
  });

  describe('HTTP itself', () => {
    it.each([
      ['no HTTP at all', 'hello\r\n\r\n'],
      ['a TLS hello', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
      ['a broken header', 'GET /v1/events HTTP/1.1\r\nhost: x\r\nbroken header\r\n\r\n'],
      [
        'two lengths',
        'POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
      ],
      [
        'a length and chunks',
        'POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ],
      ['a length that is none', 'POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n'],
      ['no host', 'GET /v1/events HTTP/1.1\r\nconnection: close\r\n\r\n'],
    ])('is refused with 400 when it is %s', async (_, text) => {
      const answer = await sendRaw(system.url, text);
      expect(answer.status).toBe(400);
    });

    it('is refused with a problem when it is malformed', async () => {
      const answer = await sendRaw(system.url, 'hello\r\n\r\n');
      expect(answer.headers).toMatch(/content-type: application\/problem\+json/i);
      expect(JSON.parse(answer.body)).toMatchObject({
        status: 400,
        code: 'invalid',
        request_id: expect.any(String),
      });
    });

    it('serves others after a client that hangs up half way', async () => {
      const { hostname, port } = new URL(system.url);
      const socket = connect(Number(port), hostname);
      await new Promise<void>((resolve) => {
        socket.write('POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"comp', () =>
          resolve(),
        );
      });
      socket.destroy();
      expect((await system.admin.get('/v1/me')).status).toBe(200);
    });
  });

  describe('the rate limit', () => {
    let limited: Gateway;
    beforeAll(async () => {
      limited = await system.anotherGateway({ RATE_LIMIT_REQUESTS: '5', RATE_LIMIT_WINDOW_S: '3600' });
    });

    it('counts for each key, says so, and refuses with 429 and when to come back', async () => {
      const { body } = await system.admin.post('/v1/members', { email: anEmail(), role: 'viewer' });
      const client = system.admin.as(body.key as string).at(limited.url);
      for (const left of [4, 3, 2, 1, 0]) {
        const { status, headers } = await client.get('/v1/me');
        expect(status).toBe(200);
        expect(headers.get('ratelimit-policy')).toBe('"key";q=5;w=3600');
        expect(headers.get('ratelimit')).toMatch(new RegExp(`^"key";r=${left};t=\\d+$`));
      }
      const refused = await client.get('/v1/me');
      expectProblem(refused, 429, 'rate_limited');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(refused.headers.get('ratelimit')).toMatch(/^"key";r=0;t=\d+$/);
      expect((await system.admin.at(limited.url).get('/v1/me')).status).toBe(200);
      expect((await client.at(system.url).get('/v1/me')).status).toBe(200);
    });

    it('counts what cannot be parsed too, and parses nothing of a key that has sent its share', async () => {
      const { body } = await system.admin.post('/v1/members', { email: anEmail(), role: 'editor' });
      const client = system.admin.as(body.key as string).at(limited.url);
      const unread: [string, string, number, string][] = [
        ['application/json', '{', 400, 'invalid'],
        ['text/plain', '{}', 415, 'unsupported_media_type'],
        ['application/json', ' '.repeat(256 * KIB + 1), 413, 'too_large'],
        ['application/json', '{"a":1,"a":2}', 400, 'invalid'],
        ['application/json', '{', 400, 'invalid'],
      ];
      const send = ([type, text]: [string, string, number, string]) =>
        client.send('POST', '/v1/events', text, { 'content-type': type });
      for (const [at, one] of unread.entries()) {
        const answer = await send(one);
        expectProblem(answer, one[2], one[3]);
        expect(answer.headers.get('ratelimit')).toMatch(new RegExp(`^"key";r=${4 - at};t=\\d+$`));
      }
      for (const one of unread) expectProblem(await send(one), 429, 'rate_limited');
      for (const key of ['x', randomKey('member')]) {
        for (const [type, text] of unread) {
          const answer = await client.as(key).send('POST', '/v1/events', text, { 'content-type': type });
          expectProblem(answer, 401, 'unauthenticated');
        }
      }
    });

    it('sends nobody away for longer than its window, though the clock was set back', async () => {
      const { body } = await system.admin.post('/v1/members', { email: anEmail(), role: 'viewer' });
      const client = system.admin.as(body.key as string).at(limited.url);
      await client.get('/v1/me');
      const { now } = Date;
      Date.now = () => now() - 86_400_000;
      const { headers } = await client.get('/v1/me').finally(() => (Date.now = now));
      const [, left_s] = /^"key";r=3;t=(\d+)$/.exec(headers.get('ratelimit')!)!;
      expect(Number(left_s)).toBeLessThanOrEqual(3_600);
    });

    it('does not stand between health and its probes', async () => {
      const probe = system.admin.as(undefined).at(limited.url);
      const answers = await Promise.all(Array.from({ length: 20 }, () => probe.get('/health/live')));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    });
  });
});
