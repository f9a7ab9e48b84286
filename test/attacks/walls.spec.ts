import { randomUUID } from 'node:crypto';
import { eventually } from '#testing';
import { anEvent } from '../builders.js';
import { type Answer } from '../http-client.js';
import { publishedRoutes, type Route } from '../openapi-routes.js';
import { roleFor } from '../role-table.js';
import { startSystem, type System } from '../system.js';
import { aLandscape, MAKES_ITS_ID, nothing, STREAM_START, type Landscape, type Things } from './landscape.js';
import { ask, validBody, validRequest, validRequests, withQuery, type Request } from './request.js';
import { expectRefused } from './refusal.js';
import { snapshotOf } from './snapshot.js';

/** Writes that register the device they name: another project's id is as good as any. */
const REGISTERS = /^(PATCH|PUT) .*\/state/;

describe('another project’s key, on each route', () => {
  let system: System;
  let routes: Route[];
  let north: Landscape;
  let south: Landscape;

  beforeAll(async () => {
    // One key has many streams open here.
    system = await startSystem({ STREAMS_PER_KEY: '100' }, { tellsAudit: false });
    // The operator is of no project.
    routes = (await publishedRoutes(system.admin)).filter(
      ({ name, isPublic }) => !isPublic && roleFor(name) !== 'operator',
    );
    [north, south] = [await aLandscape(system), await aLandscape(system)];
  });
  afterAll(() => system.stop());

  const inNorth = (route: Route, request: Request): Promise<Answer> =>
    ask(north.callers[roleFor(route.name)], request);
  const mine = (route: Route): Things => north.things(roleFor(route.name));
  const theirs = (route: Route): Things => south.things(roleFor(route.name));

  /** That an answer says nothing of the south but what it was told itself. */
  const expectNothingOf = (
    landscape: Landscape,
    { status, body, headers }: Answer,
    of: string,
    told = '',
  ): void => {
    const said = JSON.stringify([body, [...headers]]);
    const leaks = landscape.secrets.filter((secret) => !told.includes(secret) && said.includes(secret));
    expect({ of, leaks }).toEqual({ of, leaks: [] });
    expect(status).toBeLessThan(500);
  };
  const withoutId = ({ status, body }: Answer): object => ({ status, body: { ...body, request_id: '' } });

  it('finds nothing at its ids, in the very words for ids that do not exist', async () => {
    const before = await snapshotOf(south, routes);
    const withIds = routes.filter(
      ({ name, parameters }) =>
        parameters.length > 0 && !REGISTERS.test(name) && !MAKES_ITS_ID.includes(name),
    );
    expect(withIds.length).toBeGreaterThan(15);
    for (const route of withIds) {
      const asked = (things: Things): Promise<Answer> => {
        const { ids, named } = mine(route);
        const inPath = Object.fromEntries(route.parameters.map((name) => [name, things.named[name]!]));
        return inNorth(route, {
          ...validRequest(route, { ids, named }),
          path: validRequest(route, { ids: things.ids, named: { ...named, ...inPath } }).path,
        });
      };
      const [foreign, missing] = [await asked(theirs(route)), await asked(nothing())];
      expectRefused(route, foreign, route.name.endsWith('/firmware') ? [403, 404] : [404], route.name);
      expect({ of: route.name, ...withoutId(foreign) }).toEqual({ of: route.name, ...withoutId(missing) });
    }
    expect(await snapshotOf(south, routes)).toEqual(before);
  });

  it('makes things of its own under ids that it may choose', async () => {
    const [there, here] = [await aLandscape(system), await aLandscape(system)];
    const before = await snapshotOf(there, routes);
    for (const route of routes.filter(({ name }) => REGISTERS.test(name))) {
      const role = roleFor(route.name);
      for (const request of validRequests(route, there.things(role))) {
        const answer = await ask(here.callers[role], request);
        expect([route.name, answer.status]).toEqual([route.name, 200]);
        expectNothingOf(there, answer, route.name, decodeURIComponent(request.path));
      }
    }
    for (const name of MAKES_ITS_ID) {
      const route = routes.find((one) => one.name === name)!;
      const path = route.path.replace('{id}', there.things('admin').ids.messages!);
      const answer = await ask(here.callers.admin, { ...validRequest(route, here.things('admin')), path });
      expect([name, answer.status]).toEqual([name, 201]);
      expect((await here.callers.admin.get(path)).body).toEqual(answer.body);
    }
    expect(await snapshotOf(there, routes)).toEqual(before);
  });

  it('gets the same answer for fields of a body that name what is there as for what is nowhere', async () => {
    let tried = 0;
    for (const route of routes) {
      const role = roleFor(route.name);
      const forms = route.bodies.flatMap((type) => type.forms.map((form) => ({ type, form })));
      for (const { type, form } of forms) {
        const referring = Object.keys(form.properties ?? {}).filter((name) =>
          ['device_id', 'member_id', 'recipient', 'sender', 'up_to', 'product_id'].includes(name),
        );
        for (const name of referring) {
          // What is named may be registered by the way: each case has a project that knows nothing.
          const [there, here] = [await aLandscape(system), await aLandscape(system)];
          const before = await snapshotOf(there, routes);
          const asked = async (things: Things): Promise<unknown> => {
            const value = { ...things.named, member_id: things.ids.members, sender: things.named.peer }[name];
            const body = { ...validBody(route, here.things(role), form), [name]: value };
            const request = { ...validRequest(route, here.things(role), type), body: JSON.stringify(body) };
            const answer = await ask(here.callers[role], request);
            expectNothingOf(there, answer, `${name} of ${route.name}`, request.body);
            const verdict = typeof answer.body === 'string' ? JSON.parse(answer.body) : answer.body;
            return { of: route.name, name, status: answer.status, code: verdict.code ?? verdict.error?.code };
          };
          const [foreign, missing] = [await asked(there.things(role)), await asked(nothing())];
          expect(foreign).toEqual(missing);
          expect(await snapshotOf(there, routes)).toEqual(before);
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(8);
  });

  it('finds nothing by a filter, and shows nothing without one', async () => {
    const words = [...south.secrets, `site:${south.secrets[0]!}`];
    for (const route of routes.filter(({ method }) => method === 'GET')) {
      const plain = validRequest(route, mine(route));
      const all = await inNorth(route, plain);
      expect([route.name, all.status]).toEqual([route.name, 200]);
      expectNothingOf(south, all, route.name);
      const filters = route.query.filter(({ schema }) => schema.type !== 'integer' && !schema.enum);
      await Promise.all(
        filters.flatMap(({ name }) =>
          words.map(async (word) => {
            const answer = await inNorth(route, withQuery(plain, { [name]: word }));
            expectNothingOf(south, answer, `${route.name}?${name}`, word);
          }),
        ),
      );
    }
  });

  it('finds nothing with its cursors', async () => {
    const lists = routes.filter(({ query }) => query.some(({ name }) => name === 'cursor'));
    let cursors = 0;
    for (const route of lists) {
      const role = roleFor(route.name);
      const page = withQuery(validRequest(route, theirs(route)), { limit: '1' });
      const { next_cursor } = (await ask(south.callers[role], page)).body;
      if (next_cursor === null) continue;
      cursors += 1;
      const answer = await inNorth(
        route,
        withQuery(validRequest(route, mine(route)), { cursor: next_cursor as string }),
      );
      expect([route.name, answer.status === 200 || answer.status === 400]).toEqual([route.name, true]);
      expectNothingOf(south, answer, route.name);
    }
    expect(cursors).toBeGreaterThan(5);
  });

  it('is sent its own entries and nothing else behind the ids of its stream', async () => {
    const read = ({ callers }: Landscape, last_id: string): Promise<Answer> =>
      callers.admin.get('/v1/stream', { 'last-event-id': last_id });
    const { entries } = (await south.callers.admin.get('/v1/timeline?limit=1000')).body;
    const ids = await eventually(async () => {
      const { body } = await read(south, STREAM_START);
      const told = [...(body as string).matchAll(/^id: (.+)$/gm)].map(([, id]) => id!);
      // One is where it begins.
      expect(told.slice(1)).toHaveLength(entries.length as number);
      return told;
    });
    for (const id of ids) {
      const answer = await read(north, id);
      expect(answer.status).toBe(200);
      expectNothingOf(south, answer, id, id);
    }
    for (const { callers, secrets } of [south, north])
      await callers.admin.post('/v1/events', anEvent({ message: `again ${secrets[0]}` }));
    const last = ids.at(-1)!;
    await eventually(async () => {
      const answer = await read(north, last);
      expect(answer.body).toContain(`again ${north.secrets[0]}`);
      expectNothingOf(south, answer, last, last);
    });
  });

  it('meets none of its idempotency keys', async () => {
    const writes = routes.filter(({ method }) => ['POST', 'PATCH', 'PUT'].includes(method));
    for (const route of writes) {
      const [there, here] = [await aLandscape(system), await aLandscape(system)];
      const role = roleFor(route.name);
      const headers = { 'idempotency-key': randomUUID() };
      const answers = await Promise.all(
        [there, here].map((landscape) => {
          const request = validRequest(route, landscape.things(role));
          return ask(landscape.callers[role], { ...request, headers: { ...request.headers, ...headers } });
        }),
      );
      answers.forEach((answer, index) => {
        expect([route.name, route.well.includes(answer.status)]).toEqual([route.name, true]);
        expect([route.name, answer.headers.get('idempotency-replayed')]).toEqual([route.name, null]);
        expectNothingOf([here, there][index]!, answer, route.name);
      });
    }
  });

  it('sees its own and nothing else while both ask at once', async () => {
    const reads = routes.filter(({ method }) => method === 'GET');
    const sides: [Landscape, Landscape][] = [
      [north, south],
      [south, north],
    ];
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(
        reads.flatMap((route) =>
          sides.map(async ([asking, other]) => {
            const role = roleFor(route.name);
            const answer = await ask(asking.callers[role], validRequest(route, asking.things(role)));
            expect([route.name, answer.status]).toEqual([route.name, 200]);
            expectNothingOf(other, answer, route.name);
          }),
        ),
      );
    }
  });
});
