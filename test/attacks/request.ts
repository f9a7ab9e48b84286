import { type Answer, type HttpClient } from '../http-client.js';
import { pathOf, type Route, type Schema } from '../openapi-routes.js';
import { parametersOf, type Things } from './landscape.js';

/** Fields without which a request is wrong, though the document cannot say so: one of two, say. */
const NEEDED: Record<string, string[]> = { 'POST /v1/keys': ['device_id'] };

export interface Request {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** A request that the document calls valid. @throws Error when the document does not say enough to build one */
export function validRequest(route: Route, things: Things, type = route.bodies[0]): Request {
  const required = route.query.filter((parameter) => parameter.required);
  const query = required.map(
    ({ name, schema: of }) => `${name}=${String(sampleOf(of, `${route.name}?${name}`))}`,
  );
  const path = pathOf(route, parametersOf(route, things)) + (query.length > 0 ? `?${query.join('&')}` : '');
  if (!type) return { method: route.method, path, headers: {} };
  const body = JSON.stringify(validBody(route, things, type.forms[0]!));
  return { method: route.method, path, headers: { 'content-type': type.media_type }, body };
}

/** The same with each type of body that the route takes. */
export function validRequests(route: Route, things: Things): Request[] {
  const types = route.bodies.length > 0 ? route.bodies : [undefined];
  return types.map((type) => validRequest(route, things, type));
}

/** The body of a valid request; of a bulk, a line. What may hold any field is as in its example. */
export function validBody(route: Route, { named }: Things, schema: Schema): Record<string, unknown> {
  if (!schema.properties) return sampleOf(schema, `a body of ${route.name}`) as Record<string, unknown>;
  const fields = [...(schema.required ?? []), ...(NEEDED[route.name] ?? [])];
  return Object.fromEntries(
    fields.map((name) => [
      name,
      named[name] ?? sampleOf(schema.properties![name]!, `${name} of ${route.name}`),
    ]),
  );
}

function sampleOf({ example, enum: words }: Schema, of: string): unknown {
  const sample = example ?? words?.[0];
  if (sample === undefined) throw new Error(`The document has no example for ${of}`);
  return sample;
}

/** JSON text of a body with one field replaced by a text, whether that is JSON or not. */
export function withField(body: object, name: string, text: string): string {
  const rest = Object.entries(body).filter(([other]) => other !== name);
  return `{${[...rest.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`), `${JSON.stringify(name)}:${text}`].join(',')}}`;
}

export function ask(client: HttpClient, { method, path, body, headers }: Request): Promise<Answer> {
  return client.send(method, path, body, headers);
}

/** Changes the query of a request: each of these parameters instead of what stood there. */
export function withQuery(request: Request, parameters: Record<string, string>): Request {
  const [path, before] = request.path.split('?') as [string, string?];
  const query = new URLSearchParams(before);
  for (const [name, value] of Object.entries(parameters)) query.set(name, value);
  return { ...request, path: `${path}?${query.toString()}` };
}
