import { publishedRoutes, type Route } from '../openapi-routes.js';
import { ROLE_TABLE, ROLES } from '../role-table.js';
import { startSystem, type System } from '../system.js';
import { aLandscape, type Landscape } from './landscape.js';
import { ask, validRequests } from './request.js';
import { expectProblem } from './refusal.js';

describe('a valid request to each route', () => {
  let system: System;
  let routes: Route[];
  beforeAll(async () => {
    system = await startSystem();
    routes = await publishedRoutes(system.admin);
  });
  afterAll(() => system.stop());

  it('has a row in the table of roles, and no row is too many', () => {
    expect(routes.map(({ name }) => name).sort()).toEqual(Object.keys(ROLE_TABLE).sort());
  });

  it.each(ROLES)('by a key of role %s is done or forbidden, exactly as the table says', async (role) => {
    let landscape: Landscape | undefined;
    for (const route of routes) {
      landscape ??= await aLandscape(system);
      const may = ROLE_TABLE[route.name]!;
      const of = `${role}: ${route.name}`;
      const isAllowed = may === 'public' || may.includes(role);
      for (const request of validRequests(route, landscape.things(role))) {
        const answer = await ask(landscape.callers[role], request);
        if (isAllowed) {
          expect({ of, status: answer.status }).toEqual({
            of,
            status: route.well.includes(answer.status) ? answer.status : route.well,
          });
        } else {
          expectProblem(answer, [403], of);
          expect(answer.body.code).toBe('forbidden');
        }
      }
      if (isAllowed && route.method === 'DELETE') landscape = undefined;
    }
  });
});
