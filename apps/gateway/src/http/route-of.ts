import { type FastifyRequest } from 'fastify';

/** The route that answers a request, as it was declared; `none` when no route does. */
export function routeOf({ routeOptions }: FastifyRequest): string {
  return routeOptions.url ?? 'none';
}
