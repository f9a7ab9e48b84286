import { publishedRoutes, type Route, type Schema } from '../openapi-routes.js';
import { roleFor } from '../role-table.js';
import { startSystem, type System } from '../system.js';
import { BAD_DATES } from './bad-dates.js';
import { aLandscape, parametersOf, type Landscape } from './landscape.js';
import { ask, validBody, validRequest, withField, withQuery, type Request } from './request.js';
import { expectProblem, pointersOf } from './refusal.js';
import { snapshotOf } from './snapshot.js';

/** What has a meaning to SQL, LIKE, NATS, shells, paths or templates, and none here. */
const PAYLOADS = [
  "' OR '1'='1",
  "'; DROP TABLE auth.devices; --",
  '1; COMMIT; --',
  "x') UNION ALL (VALUES (1))--",
  '$1',
  '%',
  '_',
  '%%_%',
  '\\',
  '*',
  '>',
  'a.*.>',
  '$SYS.>',
  '$JS.API.>',
  '_INBOX.>',
  '../../etc/passwd',
  '{{7*7}}',
  '${7*7}',
  '"><script>',
];
/** Percent-encoded text that no parameter can be: NUL, bytes that are no UTF-8, half a surrogate pair. */
const NO_TEXT = ['%00', 'a%00b', '%ff', '%c3%28', '%ED%A0%80', '%', '%zz'];
/** What a merge patch may hold among others. */
const ANY_FIELD: Record<string, Schema> = { text: { type: 'string' } };

describe('a parameter of each route', () => {
  let system: System;
  let routes: Route[];
  let landscape: Landscape;

  beforeAll(async () => {
    // One key has many streams open here.
    system = await startSystem({ STREAMS_PER_KEY: '100' }, { tellsAudit: false });
    routes = (await publishedRoutes(system.admin)).filter(({ isPublic }) => !isPublic);
    landscape = await aLandscape(system);
  });
  afterAll(async () => {
    expect((await landscape.project.viewer.get('/v1/me')).status).toBe(200);
    await system.stop();
  });

  const valid = (route: Route): Request => validRequest(route, landscape.things(roleFor(route.name)));
  const send = (route: Route, request: Request) => ask(landscape.callers[roleFor(route.name)], request);
  /** The request with one parameter of its path replaced by a text that is percent-encoded already. */
  const withParameter = (route: Route, name: string, text: string): Request => {
    const values = parametersOf(route, landscape.things(roleFor(route.name)));
    const path = route.path.replace(/\{(\w+)\}/g, (_, one: string) =>
      one === name ? text : encodeURIComponent(values[one]!),
    );
    const [, query] = valid(route).path.split('?');
    return { ...valid(route), path: query === undefined ? path : `${path}?${query}` };
  };

  it('of a path is refused when it is no text', async () => {
    for (const route of routes)
      for (const name of route.parameters)
        for (const text of NO_TEXT)
          expectProblem(await send(route, withParameter(route, name, text)), [400], `${route.name} ${text}`);
  });

  it('of a path is refused when it is 2,000 characters long, and when it is none', async () => {
    for (const route of routes)
      for (const name of route.parameters)
        for (const text of ['x'.repeat(2_000), 'x'.repeat(4_000), ''])
          expectProblem(await send(route, withParameter(route, name, text)), [400, 404], route.name);
  });

  it('of a query that is text is refused when it is no text', async () => {
    for (const route of routes) {
      for (const { name } of route.query) {
        for (const text of ['%00', 'a%00b']) {
          const [path] = valid(route).path.split('?');
          const answer = await send(route, { ...valid(route), path: `${path!}?${name}=${text}` });
          expectProblem(answer, [400], `${route.name} ${name}=${text}`);
        }
      }
    }
  });

  it('of a query is refused twice, and when nobody knows it', async () => {
    for (const route of routes.filter(({ query }) => query.length > 0)) {
      for (const { name } of route.query) {
        const [path] = valid(route).path.split('?');
        const twice = { ...valid(route), path: `${path!}?${name}=1&${name}=1` };
        expectProblem(await send(route, twice), [400], `${route.name} ${name} twice`);
      }
      for (const name of ['unknown', '__proto__', 'constructor', 'toString', 'sort', 'project_id', 'limit[]'])
        expectProblem(
          await send(route, withQuery(valid(route), { [name]: '1' })),
          [400],
          `${route.name} ${name}`,
        );
    }
  });

  it.each(['0', '-1', '1001', '1e9', '1.5', 'ten', '', '9'.repeat(40), 'NaN', '0x10'])(
    'of a query cannot be limit=%s',
    async (limit) => {
      const lists = routes.filter(({ query }) => query.some(({ name }) => name === 'limit'));
      expect(lists.length).toBeGreaterThan(8);
      for (const route of lists) {
        const answer = await send(route, withQuery(valid(route), { limit }));
        expectProblem(answer, [400], route.name);
        expect(answer.body.errors).toContainEqual({ pointer: '/limit', detail: expect.any(String) });
      }
    },
  );

  it('of a query that is a time or a day is refused when it is none', async () => {
    const times = routes.flatMap((route) =>
      route.query
        .filter(({ schema }) => schema.anyOf?.some(({ format }) => format === 'date-time'))
        .map(({ name }) => ({ route, name })),
    );
    expect(times.length).toBeGreaterThan(15);
    for (const { route, name } of times) {
      for (const date of [...BAD_DATES, '2026-02-30', '02-30-2026', '31-01-2026', '2026-1-1']) {
        const answer = await send(route, withQuery(valid(route), { [name]: date }));
        expectProblem(answer, [400], `${route.name} ${name}=${date}`);
        expect([route.name, pointersOf(route, answer)]).toEqual([route.name, [`/${name}`]]);
      }
    }
  });

  it('of a query cannot be a cursor or a page order that no answer gave', async () => {
    const lists = routes.filter(({ query }) => query.some(({ name }) => name === 'cursor'));
    const forged = [[1], ['x', 'y'], {}, 'x', null].map((position) =>
      Buffer.from(JSON.stringify(position)).toString('base64url'),
    );
    for (const route of lists) {
      for (const cursor of ['rubbish', '', '_', 'a'.repeat(2_000), "' OR 1=1 --", ...forged])
        expectProblem(
          await send(route, withQuery(valid(route), { cursor })),
          [400],
          `${route.name} ${cursor}`,
        );
      for (const order of ['up', 'DESC', 'asc; --', ''])
        expectProblem(await send(route, withQuery(valid(route), { order })), [400], `${route.name} ${order}`);
    }
  });

  it('of a list is asked for in each type that the document declares, and answered in it', async () => {
    const lists = routes.filter(({ types }) => types.includes('text/csv'));
    expect(lists.map(({ name }) => name)).toEqual(
      routes.filter(({ query }) => query.some(({ name }) => name === 'cursor')).map(({ name }) => name),
    );
    for (const route of lists) {
      expect(route.types).toContain('application/x-ndjson');
      for (const accept of route.types) {
        const { status, headers } = await send(route, { ...valid(route), headers: { accept } });
        expect([route.name, status, headers.get('content-type')]).toEqual([
          route.name,
          200,
          `${accept}; charset=utf-8`,
        ]);
      }
    }
  });

  it('of a query is one of at most so many: 10,000 are refused', async () => {
    const many = Array.from({ length: 10_000 }, (_, index) => `${index}`).join('&');
    for (const route of routes) {
      const [path] = valid(route).path.split('?');
      expectProblem(
        await send(route, { ...valid(route), path: `${path!}?${many}` }),
        [400, 414, 431],
        route.name,
      );
    }
  });

  it('is never more than text to SQL, LIKE and NATS, in a path, a query or a body', async () => {
    const before = await snapshotOf(landscape, routes);
    const expectText = ({ status, body }: { status: number; body: any }, of: string): void => {
      expect({ of, body, isLawful: status < 500 }).toEqual({ of, body, isLawful: true });
      if (status >= 400) expect(body).toMatchObject({ status, code: expect.any(String) });
    };
    // Writes go to a project of their own, so that what the first one shows must stay as it is.
    const other = await aLandscape(system);
    for (const route of routes) {
      const role = roleFor(route.name);
      const isRead = route.method === 'GET';
      const things = (isRead ? landscape : other).things(role);
      const client = (isRead ? landscape : other).callers[role];
      const request = validRequest(route, things);
      await Promise.all(
        PAYLOADS.map(async (payload) => {
          for (const name of route.parameters) {
            const values: Record<string, string> = { ...parametersOf(route, things), [name]: payload };
            const path = route.path.replace(/\{(\w+)\}/g, (_, one: string) =>
              encodeURIComponent(values[one]!),
            );
            expectText(await ask(client, { ...request, path }), `${route.name} {${name}} ${payload}`);
          }
          for (const { name } of route.query)
            expectText(
              await ask(client, withQuery(request, { [name]: payload })),
              `${route.name}?${name} ${payload}`,
            );
          for (const { media_type, forms } of route.bodies) {
            const headers = { 'content-type': media_type };
            for (const schema of forms) {
              for (const [name, { type }] of Object.entries(schema.properties ?? ANY_FIELD)) {
                if (type !== 'string') continue;
                const body = withField(
                  validBody(route, other.things(role), schema),
                  name,
                  JSON.stringify(payload),
                );
                expectText(
                  await ask(client, { ...request, headers, body }),
                  `${route.name} ${name} ${payload}`,
                );
              }
            }
          }
        }),
      );
    }
    expect(await snapshotOf(landscape, routes)).toEqual(before);
  });
});
