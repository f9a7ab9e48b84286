import { type HttpClient } from './http-client.js';

/** What the document says of a value: JSON Schema as OpenAPI 3.0 writes it, references among components resolved. */
export interface Schema {
  type?: string;
  format?: string;
  enum?: string[];
  example?: unknown;
  nullable?: boolean;
  oneOf?: Schema[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
}

/** In the query or in a header. */
export interface Parameter {
  name: string;
  required: boolean;
  schema: Schema;
}

/** A type of body that a route takes. */
export interface RequestBody {
  media_type: string;
  /** What it may be: one form, or for a bulk each form of a line. */
  forms: Schema[];
}

export interface Route {
  /** As the document writes it: `GET /v1/events/{id}`. */
  name: string;
  method: string;
  path: string;
  /** Names of the parameters in the path. */
  parameters: string[];
  query: Parameter[];
  headers: Parameter[];
  /** Whether it answers without a key. */
  isPublic: boolean;
  /** One of each type that it takes; empty when it reads none. */
  bodies: RequestBody[];
  /** The statuses that it says it answers when all is well. */
  well: number[];
  /** The types that it says it answers in. */
  types: string[];
}

/** The OpenAPI document as it is published. */
export async function publishedDocument(client: HttpClient): Promise<any> {
  return (await client.get('/openapi.json')).body;
}

/** Every route that the gateway publishes, so that a new route is under test by itself. */
export async function publishedRoutes(client: HttpClient): Promise<Route[]> {
  const { paths, components } = await publishedDocument(client);
  const resolved = (schema: any): any =>
    schema.$ref === undefined ? schema : components.schemas[schema.$ref.split('/').at(-1)];
  return Object.entries(paths as Record<string, Record<string, any>>).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => {
      const parametersIn = (place: string): Parameter[] =>
        operation.parameters.filter((parameter: { in: string }) => parameter.in === place);
      const well = Object.keys(operation.responses as object)
        .map(Number)
        .filter((status) => status >= 200 && status < 300);
      return {
        name: `${method.toUpperCase()} ${path}`,
        method: method.toUpperCase(),
        path,
        parameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!),
        query: parametersIn('query'),
        headers: parametersIn('header'),
        isPublic: operation.security === undefined,
        bodies: Object.entries<any>(operation.requestBody?.content ?? {}).map(([media_type, { schema }]) => ({
          media_type,
          forms: (resolved(schema).oneOf ?? [schema]).map(resolved),
        })),
        well,
        types: well.flatMap((status) => Object.keys(operation.responses[status].content ?? {})),
      };
    }),
  );
}

/** The path with its parameters filled in, percent-encoded. */
export function pathOf({ path }: Pick<Route, 'path'>, values: Record<string, string>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name]!));
}
