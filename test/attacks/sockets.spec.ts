import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { publishedRoutes, type Route } from '../openapi-routes.js';
import { rawRequest, sendRaw } from '../raw-http.js';
import { roleFor } from '../role-table.js';
import { startSystem, type System } from '../system.js';
import { aLandscape, type Landscape } from './landscape.js';
import { validRequest, validRequests, type Request } from './request.js';
import { snapshotOf } from './snapshot.js';

/** Other ways to write the target of a request. None of them is the route’s own. */
const SPELLINGS: [string, (path: string) => string][] = [
  ['two slashes in front', (path) => `/${path}`],
  ['two slashes inside', (path) => path.replace('/v1/', '/v1//')],
  ['a dot', (path) => path.replace('/v1/', '/v1/./')],
  ['two dots', (path) => path.replace('/v1/', '/v1/x/../')],
  ['encoded dots', (path) => path.replace('/v1/', '/v1/x/%2e%2e/')],
  ['an encoded slash', (path) => path.replace('/v1/', '/v1%2f')],
  ['a slash at the end', (path) => path.replace(/(\?|$)/, '/$1')],
  ['a backslash', (path) => path.replace('/v1/', '/v1\\')],
  ['a parameter of the path', (path) => path.replace('/v1/', '/v1;a=b/')],
  ['capitals', (path) => path.replace('/v1/', '/V1/')],
  ['no slash in front', (path) => path.slice(1)],
];

/** A stream does not: no other answer can follow. */
const endsByItself = ({ method, name }: Route): boolean => method === 'GET' && name !== 'GET /v1/stream';

describe('bytes on a socket, for each route', () => {
  let system: System;
  let routes: Route[];
  let landscape: Landscape;
  let slow: Promise<{ of: string; status: number }[]>;

  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    routes = (await publishedRoutes(system.admin)).filter(({ isPublic }) => !isPublic);
    landscape = await aLandscape(system);
    // These take as long as the limits they try: they wait while the others are under test.
    slow = Promise.all(slowRequests());
  });
  afterAll(() => system.stop());

  const valid = (route: Route): Request => validRequest(route, landscape.things(roleFor(route.name)));
  /** One of each type of body that the route reads. */
  const withBody = (route: Route): Request[] =>
    validRequests(route, landscape.things(roleFor(route.name))).filter(({ body }) => body !== undefined);
  const bearer = (route: Route): Record<string, string> => ({
    authorization: `Bearer ${landscape.callers[roleFor(route.name)].key!}`,
  });
  const text = ({ method, path, headers, body = '' }: Request, more: Record<string, string>): string =>
    rawRequest(`${method} ${path}`, {
      ...headers,
      ...(body && { 'content-length': String(Buffer.byteLength(body)) }),
      ...more,
    }) + body;
  const expectProblem = (
    answer: { status: number; headers: string; body: string },
    statuses: number[],
    of: string,
  ) => {
    expect({ of, status: answer.status }).toEqual({
      of,
      status: statuses.includes(answer.status) ? answer.status : statuses,
    });
    expect(answer.headers).toMatch(/content-type: application\/problem\+json/i);
    expect(JSON.parse(answer.body)).toMatchObject({ status: answer.status, code: expect.any(String) });
  };

  function slowRequests(): Promise<{ of: string; status: number }>[] {
    const answered = async (of: string, part: string) => ({
      of,
      status: (await sendRaw(system.url, part)).status,
    });
    return routes.flatMap((route) => {
      const half = (request: Request, end: number): string => text(request, bearer(route)).slice(0, end);
      return [
        answered(`half a head: ${route.name}`, half(valid(route), 60)),
        ...withBody(route).map((request) => answered(`half a body: ${route.name}`, half(request, -3))),
      ];
    });
  }

  it.each(SPELLINGS)(
    '%s in a target is no way around the guard, and no other name of the route',
    async (_, spell) => {
      const before = await snapshotOf(landscape, routes);
      for (const route of routes) {
        const request = valid(route);
        const spelled = { ...request, path: spell(request.path) };
        const of = `${route.method} ${spelled.path}`;
        expectProblem(await sendRaw(system.url, text(spelled, {})), [400, 401, 404, 415], of);
        expectProblem(await sendRaw(system.url, text(spelled, bearer(route))), [400, 404, 415], of);
      }
      expect(await snapshotOf(landscape, routes)).toEqual(before);
    },
  );

  it.each([
    ['percent-encoded letters', (path: string) => path.replace('/v1/', '/%76%31/')],
    ['a whole URL', (path: string) => `http://flotilla${path}`],
    ['a whole URL of elsewhere', (path: string) => `http://elsewhere.example${path}`],
  ])('%s in a target mean the same, and the key is asked for all the same', async (_, spell) => {
    for (const route of routes) {
      const request = valid(route);
      const spelled = { ...request, path: spell(request.path) };
      expectProblem(await sendRaw(system.url, text(spelled, {})), [401, 404, 415], route.name);
    }
  });

  it('a method in a header overrides nothing', async () => {
    const before = await snapshotOf(landscape, routes);
    const names = ['x-http-method-override', 'x-http-method', 'x-method-override'];
    const override = Object.fromEntries(names.map((name) => [name, 'DELETE']));
    for (const route of routes.filter(endsByItself)) {
      const answer = await sendRaw(system.url, text(valid(route), { ...bearer(route), ...override }));
      expect([route.name, answer.status]).toEqual([route.name, 200]);
    }
    expect(await snapshotOf(landscape, routes)).toEqual(before);
  });

  it('requests in one pipeline are answered each for itself, in order', async () => {
    for (const route of routes.filter(endsByItself)) {
      const keep = { connection: 'keep-alive' };
      const request = valid(route);
      const pipeline = [text(request, keep), text(request, { ...keep, ...bearer(route) }), text(request, {})];
      const { status, headers, body } = await sendRaw(system.url, pipeline.join(''));
      const statuses = [status, ...[...body.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => Number(match[1]))];
      expect([route.name, headers.slice(0, 12), statuses]).toEqual([
        route.name,
        'HTTP/1.1 401',
        [401, 200, 401],
      ]);
    }
  });

  it.each([
    ['is none', () => ({ 'content-length': 'x' })],
    ['is below zero', () => ({ 'content-length': '-1' })],
    ['has a sign', (length: number) => ({ 'content-length': `+${length}` })],
    ['is there twice', (length: number) => ({ 'content-length': `${length}, ${length + 1}` })],
    [
      'stands beside chunks',
      (length: number) => ({ 'content-length': String(length), 'transfer-encoding': 'chunked' }),
    ],
    ['is too short', (length: number) => ({ 'content-length': String(length - 2) })],
  ])('a Content-Length that %s is refused, and nothing is written', async (_, wrong) => {
    const before = await snapshotOf(landscape, routes);
    for (const route of routes) {
      for (const request of withBody(route)) {
        const headers = { ...bearer(route), ...wrong(Buffer.byteLength(request.body!)) };
        const answer = await sendRaw(system.url, text(request, headers));
        // A bulk is well as a whole: the line that was cut off is refused.
        const isWell = answer.status === 200 && request.headers['content-type'] === 'application/x-ndjson';
        expect([route.name, isWell ? 400 : answer.status]).toEqual([route.name, 400]);
        if (isWell) expect(JSON.parse(answer.body.split('\r\n')[1]!)).toMatchObject({ status: 400 });
      }
    }
    expect(await snapshotOf(landscape, routes)).toEqual(before);
  });

  it('a header of 17 KiB is refused with 431, a target of 64 KiB with 4xx', async () => {
    for (const route of routes) {
      const request = valid(route);
      const long = await sendRaw(
        system.url,
        text(request, { ...bearer(route), 'x-long': 'x'.repeat(17 * 1024) }),
      );
      expectProblem(long, [431], route.name);
      const path = `${request.path}${request.path.includes('?') ? '&' : '?'}long=${'x'.repeat(64 * 1024)}`;
      expectProblem(
        await sendRaw(system.url, text({ ...request, path }, bearer(route))),
        [414, 431],
        route.name,
      );
    }
  });

  it('CR LF in a target or a header makes no header of the answer', async () => {
    const injected = '%0d%0ax-injected:%201';
    for (const route of routes) {
      const request = valid(route);
      const [path, query = ''] = request.path.split('?');
      for (const target of [`${path!}${injected}`, `${path!}?${query}&cursor=${injected}`]) {
        const headers = {
          ...bearer(route),
          'x-request-id': 'a%0d%0ax-injected: 1',
          accept: 'a\nx-injected: 1',
        };
        for (const more of [bearer(route), headers]) {
          const answer = await sendRaw(system.url, text({ ...request, path: target }, more));
          expect([route.name, answer.status < 500]).toEqual([route.name, true]);
          expect(answer.headers).not.toMatch(/^x-injected/im);
        }
      }
    }
  });

  it('a gateway stops though somebody holds connections on which nothing comes', async () => {
    const gateway = await system.anotherGateway();
    const { hostname, port } = new URL(gateway.url);
    const held: Socket[] = ['', 'GET /v1/me HTTP/1.1\r\n'].map((begun) => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined).write(begun);
      return socket;
    });
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    const closed = Promise.all(held.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    await gateway.stop();
    await closed;
  }, 20_000);

  it('half a request is refused with 408 in the end, and keeps nobody else waiting', async () => {
    expect((await system.admin.get('/v1/me')).status).toBe(200);
    for (const { of, status } of await slow) {
      // A bulk may be as slow as it likes while lines come; one that stands still is cut.
      const isBulk = of === 'half a body: POST /v1/bulk';
      expect({ of, status }).toEqual({ of, status: isBulk ? NaN : 408 });
    }
  }, 120_000);
});
