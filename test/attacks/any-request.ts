import fc from 'fast-check';
import { type Role } from '#contracts';
import { type RequestBody, type Route, type Schema } from '../openapi-routes.js';
import { roleFor, ROLES } from '../role-table.js';
import { nothing, STREAM_START, type Landscape, type Things } from './landscape.js';
import { type Request } from './request.js';

export interface AnyRequest extends Request {
  role: Role;
}

/** A body, and what the headers say of it. */
type Content = Pick<Request, 'headers' | 'body'>;

/** Texts at the edges of what parsers, Postgres and NATS take. */
const EDGES = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u0085',
  '\ufeff',
  'é🚰',
  '%',
  '*.>',
  "' OR 1=1 --",
  '../..',
  '__proto__',
  'null',
  'NaN',
  '1e400',
  '0000-01-01T00:00:00Z',
  '9999-12-31T23:59:60Z',
  '9999-12-31T23:59:59.999Z',
  '12-31-2026',
  'x'.repeat(129),
];
const anyText = fc.oneof(
  fc.constantFrom(...EDGES),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
);
const timeFrom = (min: string, max: string): fc.Arbitrary<string> =>
  fc.date({ min: new Date(min), max: new Date(max), noInvalidDate: true }).map((date) => date.toISOString());
const anyTime = fc.oneof(
  { weight: 4, arbitrary: timeFrom('2000-01-01', '2025-01-01') },
  { weight: 1, arbitrary: timeFrom('0001-01-01', '9999-12-31') },
);

/** A record in which optional fields are there seldom: many that are right each seldom are right together. */
function seldom(values: Record<string, fc.Arbitrary<unknown>>, required: string[]): fc.Arbitrary<object> {
  const fields = Object.entries(values).map(([name, value]) => [
    name,
    required.includes(name)
      ? value
      : fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value }),
  ]);
  return fc
    .record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>)
    .map((record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)));
}

/** A value that the schema allows, as far as it says; `named` values lead to something. */
function allowed(
  schema: Schema & {
    minimum?: number;
    maximum?: number;
    pattern?: string;
    additionalProperties?: boolean | Schema;
  },
): fc.Arbitrary<unknown> {
  const { type, format, enum: words, pattern, oneOf, anyOf, minimum = -1e15, maximum = 1e15 } = schema;
  if (anyOf) return fc.oneof(...anyOf.map(allowed));
  if (oneOf) return fc.oneof(...oneOf.map(allowed), fc.constantFrom('1', '2', '19.90', 3.5));
  if (words) return fc.constantFrom(...words);
  if (format === 'uuid') return fc.uuid();
  if (format === 'date-time') return anyTime;
  if (format === 'date') return anyTime.map((time) => time.slice(0, 10));
  if (format === 'email') return fc.emailAddress();
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  if (type === 'integer' || type === 'number')
    return fc.maxSafeInteger().map((n) => Math.min(maximum, Math.max(minimum, n)));
  if (type === 'object' && typeof schema.additionalProperties === 'object')
    return fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.constantFrom('north', '7'), {
      maxKeys: 5,
    });
  if (type === 'object')
    return fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 5 });
  if (type === 'array') return fc.array(fc.jsonValue({ maxDepth: 1 }), { maxLength: 3 });
  return fc.oneof(
    fc.string({ minLength: 1, maxLength: 30 }),
    fc.constantFrom('1.0.0', '2.1.0-rc.1', 'site:north'),
  );
}

function anyValue(name: string, schema: Schema, { named }: Things): fc.Arbitrary<unknown> {
  const known = named[name];
  return fc.oneof(
    { weight: 24, arbitrary: known === undefined ? allowed(schema) : fc.constant(known) },
    { weight: 3, arbitrary: allowed(schema) },
    { weight: 1, arbitrary: fc.oneof(anyText, fc.jsonValue({ maxDepth: 2 })) },
  );
}

function anyObject(schema: Schema, things: Things): fc.Arbitrary<unknown> {
  const { properties, required = [] } = schema;
  if (!properties) return allowed(schema);
  const fields = Object.entries(properties).map(([name, of]) => [name, anyValue(name, of, things)] as const);
  return fc.oneof(
    { weight: 19, arbitrary: seldom(Object.fromEntries(fields), required) },
    { weight: 1, arbitrary: seldom(Object.fromEntries(fields), []) },
  );
}

function anyBody({ media_type, forms }: RequestBody, things: Things): fc.Arbitrary<Content> {
  const values = forms.map((schema) => anyObject(schema, things));
  const text = fc.oneof(
    { weight: 30, arbitrary: fc.oneof(...values).map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: fc.json({ maxDepth: 3 }) },
    { weight: 1, arbitrary: anyText },
  );
  const body =
    media_type === 'application/x-ndjson'
      ? fc.array(text, { minLength: 1, maxLength: 4 }).map((lines) => lines.join('\n'))
      : text;
  return body.map((body) => ({ headers: { 'content-type': media_type }, body }));
}

/** Right and wrong in ways that the document cannot say. Each is sent to any route, whether that declares it or not. */
const HEADERS: Record<string, fc.Arbitrary<string>> = {
  'if-match': fc.constantFrom('*', '"1"', 'W/"2"', '"x", "1"', '', '"'),
  'if-none-match': fc.constantFrom('*', '"1"', '"x"', ','),
  accept: fc.constantFrom('application/x-ndjson', 'text/csv', 'text/*;q=0.5, application/json;q=0.1', ';q='),
  'idempotency-key': fc.oneof(fc.uuid(), fc.constantFrom('a', 'b', 'x'.repeat(256), 'with space', '')),
  'last-event-id': fc.constantFrom('', ',', 'event:0', `${STREAM_START},${STREAM_START}`, 'x'.repeat(2_000)),
};

function anyHeaders({ headers }: Route, { named }: Things): fc.Arbitrary<object> {
  const declared = headers.map(({ name, schema }) => {
    const known = named[name];
    const right = known === undefined ? allowed(schema).map(String) : fc.constant(known);
    return [name, fc.oneof(right, HEADERS[name] ?? right)] as const;
  });
  return seldom({ ...HEADERS, ...Object.fromEntries(declared) }, []);
}

/** Any request to a route: mostly as the document has it, with something wrong here and there. */
export function anyRequest(route: Route, landscape: Landscape): fc.Arbitrary<AnyRequest> {
  const own = roleFor(route.name);
  const things = landscape.things(own);
  const collection = route.path.split('/')[2]!;
  const inPath = fc.record(
    Object.fromEntries(
      route.parameters.map((name) => {
        const of = ({ ids, named }: Things): string => (name === 'id' ? ids[collection]! : named[name]!);
        const values = [
          { weight: 8, arbitrary: fc.constant(of(things)) },
          { weight: 2, arbitrary: fc.constant(of(nothing())) },
          { weight: 1, arbitrary: anyText },
        ];
        return [name, fc.oneof(...values)];
      }),
    ),
  );
  const inQuery = seldom(
    Object.fromEntries(route.query.map(({ name, schema }) => [name, anyValue(name, schema, things)])),
    route.query.filter(({ required }) => required).map(({ name }) => name),
  );
  const role = fc.oneof(
    { weight: 8, arbitrary: fc.constant(own) },
    { weight: 2, arbitrary: fc.constantFrom(...ROLES) },
  );
  const content =
    route.bodies.length > 0
      ? fc.oneof(...route.bodies.map((type) => anyBody(type, things)))
      : fc.constant<Content>({ headers: {} });
  return fc
    .tuple(inPath, inQuery, role, content, anyHeaders(route, things))
    .map(([values, query, role, content, headers]) => {
      const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(values[name]!.toWellFormed()),
      );
      const search = Object.entries(query as Record<string, unknown>).map(([name, value]) =>
        [name, typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value)]
          .map(encodeURIComponent)
          .join('='),
      );
      return {
        role,
        method: route.method,
        path: search.length > 0 ? `${path}?${search.join('&')}` : path,
        headers: { ...headers, ...content.headers },
        body: content.body,
      };
    });
}
