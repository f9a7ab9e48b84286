import { type Route } from '../openapi-routes.js';
import { roleFor } from '../role-table.js';
import { type Landscape } from './landscape.js';
import { ask, validRequest } from './request.js';

/** All that the project shows to those who may see it, by route; when keys were used is left out, and what a stream says. */
export async function snapshotOf(
  { callers, things }: Landscape,
  routes: Route[],
): Promise<Record<string, unknown>> {
  const readable = routes.filter(
    ({ name, method, isPublic, types }) =>
      method === 'GET' && !isPublic && roleFor(name) !== 'operator' && !types.includes('text/event-stream'),
  );
  const seen = await Promise.all(
    readable.map(async (route) => {
      const role = roleFor(route.name);
      const { status, body } = await ask(callers[role], validRequest(route, things(role)));
      return [
        route.name,
        { status, body: JSON.stringify(body).replace(/"last_used_at":[^,}]+/g, '') },
      ] as const;
    }),
  );
  return Object.fromEntries(seen);
}
