import { type HttpClient } from './http-client.js';

export interface Route {
  /** As the document writes it: `GET /v1/events/{id}`. */
  name: string;
  method: string;
  path: string;
  /** Names of the parameters in the path. */
  parameters: string[];
}

/** Every route that the gateway publishes, so that a new route is under test by itself. */
export async function publishedRoutes(client: HttpClient): Promise<Route[]> {
  const { body } = await client.get('/openapi.json');
  return Object.entries(body.paths as Record<string, object>).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
    })),
  );
}

/** The path with its parameters filled in, percent-encoded. */
export function pathOf({ path }: Route, values: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name]!));
}
