import { type Role } from '#contracts';
import { publishedRoutes, type RequestBody, type Route, type Schema } from '../openapi-routes.js';
import { roleFor } from '../role-table.js';
import { startSystem, type System } from '../system.js';
import { BAD_DATES } from './bad-dates.js';
import { aLandscape, type Landscape } from './landscape.js';
import { ask, validBody, validRequest, withField } from './request.js';
import { expectProblem, expectRefused, pointersOf } from './refusal.js';

const KIB = 1024;

/** A form of body that a route takes, and the type that it is of: a bulk takes several. */
interface Form {
  route: Route;
  type: RequestBody;
  schema: Schema;
}

/** JSON texts that are not of the type. */
function wrongTypes({ type, oneOf, nullable }: Schema): string[] {
  const types = (oneOf ?? [{ type }]).map((one) => one.type);
  const texts: Record<string, string[]> = {
    string: ['"x"'],
    number: ['7', '1.5', '-0'],
    integer: ['1.5', '"1"', '-7e300'],
    boolean: ['true'],
    object: ['{}'],
    array: ['[]', '[{}]'],
  };
  const isWrong = (one: string): boolean =>
    !types.includes(one) && !(one === 'number' && types.includes('integer'));
  return [
    ...Object.keys(texts)
      .filter(isWrong)
      .flatMap((one) => (one === 'integer' ? [] : texts[one]!)),
    ...(types.includes('integer') ? texts.integer! : []),
    ...(nullable === true ? [] : ['null']),
  ];
}

/** Fields that the product decides and nobody else, and one that nobody knows. */
const NOT_FOR_CALLERS = [
  'id',
  'project_id',
  'role',
  'version',
  'created_at',
  'key',
  'admin_key',
  'principal',
  'key_id',
  'unknown_field',
];
type Spoiled = [what: string, spoil: (body: object) => string];
/** What no field of a body is to blame for. */
const NO_I_JSON: Spoiled[] = [
  ['__proto__', (body) => withField(body, '__proto__', '{"polluted":true}')],
  [
    '__proto__, escaped',
    (body) => JSON.stringify(body).replace(/\}$/, ',"__\\u0070roto__":{"polluted":true}}'),
  ],
  ['constructor.prototype', (body) => withField(body, 'constructor', '{"prototype":{"polluted":true}}')],
  ['a name twice', (body) => JSON.stringify(body).replace('{', '{"twice":1,"twice":2,')],
  ['a number too large for a double', (body) => withField(body, 'number', '1e400')],
  ['2^53 + 1', (body) => withField(body, 'number', '9007199254740993')],
  ['NUL in a name', (body) => withField(body, 'a\u0000b', '1')],
  ['half of a surrogate pair in a name', (body) => withField(body, '\ud800', '1')],
  ['a byte order mark', (body) => `\ufeff${JSON.stringify(body)}`],
  ['30,000 levels', (body) => withField(body, 'deep', '['.repeat(30_000) + ']'.repeat(30_000))],
  ['cut off', (body) => JSON.stringify(body).slice(0, -1)],
  ['two values', (body) => JSON.stringify(body).repeat(2)],
  ['broken JSON', () => '{'],
];
const NO_FORM_OF_IT: Spoiled[] = [
  ['a list', (body) => JSON.stringify([body])],
  ['null', () => 'null'],
  ['a string', () => '"x"'],
  ['a number', () => '7'],
];

describe('a body of each route', () => {
  let system: System;
  let forms: Form[];
  let landscape: Landscape;

  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    const routes = await publishedRoutes(system.admin);
    forms = routes.flatMap((route) =>
      route.bodies.flatMap((type) => type.forms.map((schema) => ({ route, type, schema }))),
    );
    landscape = await aLandscape(system);
  });
  afterAll(async () => {
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect((await landscape.project.viewer.get('/v1/me')).status).toBe(200);
    await system.stop();
  });

  /** Only devices say what firmware they run, in a line too. */
  const roleOf = ({ route, schema }: Form): Role =>
    schema.properties?.kind?.enum?.[0] === 'firmware' ? 'device' : roleFor(route.name);
  const send = (form: Form, body: string, headers: Record<string, string> = {}) => {
    const { route, type } = form;
    const role = roleOf(form);
    const request = validRequest(route, landscape.things(role), type);
    return ask(landscape.callers[role], { ...request, headers: { ...request.headers, ...headers }, body });
  };
  const bodyOf = (form: Form) => validBody(form.route, landscape.things(roleOf(form)), form.schema);
  const of = ({ route, type }: Form, what: string): string =>
    `${route.name}, ${type.media_type}: ${what.slice(0, 80)}`;

  it('is tried on each that reads one, in each type that it reads', () => {
    expect(forms.length).toBeGreaterThan(20);
    expect([...new Set(forms.map(({ type }) => type.media_type))].sort()).toEqual([
      'application/json',
      'application/merge-patch+json',
      'application/x-ndjson',
    ]);
  });

  it('may not say what only the product decides, nor what nobody knows', async () => {
    // In a merge patch any name may stand: it is what `data` is otherwise.
    const closed = forms.filter(({ schema }) => schema.properties);
    for (const form of closed) {
      const more = NOT_FOR_CALLERS.filter((name) => form.schema.properties![name] === undefined);
      for (const name of more) {
        const answer = await send(form, withField(bodyOf(form), name, '"flt_member_mine"'));
        expectRefused(form.route, answer, [400], of(form, name));
        expect(JSON.stringify(answer.body)).toContain(`/${name}`);
      }
    }
  });

  it.each(NO_I_JSON)(
    'is refused before its fields are looked at when it has or is: %s',
    async (what, spoil) => {
      for (const form of forms) {
        const answer = await send(form, spoil(bodyOf(form)));
        expectRefused(form.route, answer, [400], of(form, what));
        expect([of(form, what), pointersOf(form.route, answer)]).toEqual([of(form, what), ['']]);
      }
    },
  );

  it.each(NO_FORM_OF_IT)('is refused when it has or is: %s', async (what, spoil) => {
    for (const form of forms)
      expectRefused(form.route, await send(form, spoil(bodyOf(form))), [400], of(form, what));
  });

  it('is refused where a field has the wrong type', async () => {
    for (const form of forms) {
      for (const [name, schema] of Object.entries(form.schema.properties ?? {})) {
        for (const text of wrongTypes(schema)) {
          const answer = await send(form, withField(bodyOf(form), name, text));
          expectRefused(form.route, answer, [400], of(form, `${name} ${text}`));
          expect([of(form, `${name} ${text}`), JSON.stringify(answer.body).includes(`/${name}`)]).toEqual([
            of(form, `${name} ${text}`),
            true,
          ]);
        }
      }
    }
  });

  it('is refused where a text holds NUL, half a character, or more than it may', async () => {
    for (const form of forms) {
      for (const [name, { type }] of Object.entries(form.schema.properties ?? {})) {
        if (type !== 'string') continue;
        for (const text of ['"a\\u0000"', '"\\ud800"', '"\\udc00a"', `"${'x'.repeat(20_000)}"`])
          expectRefused(
            form.route,
            await send(form, withField(bodyOf(form), name, text)),
            [400],
            of(form, `${name} ${text}`),
          );
      }
    }
  });

  it('is refused where a time is none', async () => {
    for (const form of forms) {
      for (const [name, { format }] of Object.entries(form.schema.properties ?? {})) {
        if (format !== 'date-time') continue;
        for (const date of [...BAD_DATES, '2026-01-01'])
          expectRefused(
            form.route,
            await send(form, withField(bodyOf(form), name, JSON.stringify(date))),
            [400],
            of(form, `${name} ${date}`),
          );
      }
    }
  });

  it('is refused when it is not UTF-8', async () => {
    for (const form of forms) {
      const role = roleFor(form.route.name);
      const request = validRequest(form.route, landscape.things(role), form.type);
      const { key, url } = landscape.callers[role];
      const response = await fetch(new URL(request.path, url), {
        method: request.method,
        headers: { ...request.headers, authorization: `Bearer ${key!}` },
        body: Buffer.from('{"text":"\xc3\x28"}', 'latin1'),
      });
      const { status, error, errors = error?.errors } = JSON.parse(await response.text());
      expect([of(form, 'not UTF-8'), status, errors]).toEqual([
        of(form, 'not UTF-8'),
        400,
        [{ pointer: '', detail: 'must be UTF-8' }],
      ]);
    }
  });

  it('of 256 KiB and one byte is refused with 413, or where it is a line, the line is', async () => {
    for (const form of forms) {
      const empty = withField(bodyOf(form), 'fill', '""');
      const body = withField(
        bodyOf(form),
        'fill',
        `"${'x'.repeat(256 * KIB + 1 - Buffer.byteLength(empty))}"`,
      );
      expectRefused(form.route, await send(form, body), [413], of(form, '256 KiB + 1'));
    }
  });

  it.each(['gzip', 'br', 'deflate', 'zstd', 'nonsense'])('in %s is refused with 415', async (encoding) => {
    for (const form of forms) {
      const answer = await send(form, JSON.stringify(bodyOf(form)), { 'content-encoding': encoding });
      expectProblem(answer, [415], of(form, encoding));
    }
  });

  it.each([
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'nonsense',
  ])('of type %s is refused with 415', async (type) => {
    for (const form of forms) {
      const answer = await send(form, JSON.stringify(bodyOf(form)), { 'content-type': type });
      expectProblem(answer, [415], of(form, type));
    }
  });
});
