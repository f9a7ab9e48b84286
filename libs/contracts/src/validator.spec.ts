import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { EventQuery, NewEvent } from './activity-events.js';
import { type Constructor } from './call.js';
import { isDeclared, validatorOf } from './validator.js';

const anything = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    '',
    ' ',
    '\0',
    '\ud800',
    'x'.repeat(129),
    'x'.repeat(20_000),
    '😀'.repeat(128),
  ),
  fc.jsonValue({ maxDepth: 1 }),
);
const valid = {
  component: fc.constantFrom('billing', '漢字', '😀'.repeat(128)),
  environment: fc.constantFrom('test', 'production'),
  email: fc.emailAddress({ size: '-1' }),
  message: fc.string({ minLength: 1 }).map((text) => `.${text.replaceAll('\0', '')}`),
  data: fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 1 }), { noNullPrototype: true }),
  device_id: fc.constantFrom('pump 7/north', '*', '>'),
  id: fc.uuid(),
  occurred_at: fc.constantFrom('2026-01-31T12:00:00Z', '2024-02-29T23:59:59.999+05:30'),
};

/** Objects with any of these fields, each valid or broken, and with fields that nobody declared. */
function objectsOf(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Record<string, unknown>> {
  const mixed = Object.entries(fields).map(([name, field]): [string, fc.Arbitrary<unknown>] => [
    name,
    fc.oneof({ weight: 3, arbitrary: field }, { weight: 1, arbitrary: anything }),
  ]);
  const unknown = fc.dictionary(fc.constantFrom('project_id', 'role', 'a/b', 'c~d', 'Id'), anything, {
    maxKeys: 2,
    noNullPrototype: true,
  });
  return fc
    .tuple(fc.record(Object.fromEntries(mixed), { requiredKeys: [], noNullPrototype: true }), unknown)
    .map(([known, others]) => ({ ...known, ...others }));
}

function namesRefusedByUs(type: Constructor<unknown>, object: object): string[] {
  const names = validatorOf(type)(object).map(({ pointer }) =>
    pointer.slice(1).replaceAll('~1', '/').replaceAll('~0', '~'),
  );
  return [...new Set(names)].sort();
}

function namesRefusedByTheLibrary(type: Constructor<unknown>, object: object): string[] {
  const errors = validateSync(plainToInstance(type, object) as object, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: false,
  });
  return errors.map(({ property }) => property).sort();
}

describe('a compiled validator', () => {
  it.each([
    ['NewEvent', NewEvent, valid],
    [
      'EventQuery, with what it inherits,',
      EventQuery,
      {
        component: valid.component,
        message: valid.message,
        device_id: valid.device_id,
        from_date: fc.constantFrom('2026-01-31', '01-31-2026', '2026-01-31T00:00:00Z'),
        order: fc.constantFrom('asc', 'desc'),
        limit: fc.integer({ min: 1, max: 1000 }),
        cursor: fc.constantFrom('abc_-', 'x'.repeat(512)),
      },
    ],
  ])('of %s refuses exactly the fields that class-validator refuses', (_, type, fields) => {
    fc.assert(
      fc.property(objectsOf(fields), (object) => {
        expect(namesRefusedByUs(type, object)).toEqual(namesRefusedByTheLibrary(type, object));
      }),
      { numRuns: 500 },
    );
  });

  it('accepts every valid event', () => {
    fc.assert(
      fc.property(
        fc.record(valid, { requiredKeys: ['component', 'environment', 'email', 'message', 'data'] }),
        (event) => {
          expect(validatorOf(NewEvent)(event)).toEqual([]);
        },
      ),
    );
  });

  it.each([[null], [undefined], ['text'], [5], [[]], [[{}]]])('refuses %j: it is no object', (value) => {
    expect(validatorOf(NewEvent)(value)).toEqual([{ pointer: '', detail: 'must be a JSON object' }]);
  });

  it('says that a field is missing', () => {
    const [error] = validatorOf(NewEvent)({ environment: 'e', email: 'a@b.co', message: 'm', data: {} });
    expect(error).toEqual({
      pointer: '/component',
      detail: expect.stringMatching(/^is required, and must be text/),
    });
  });

  it('takes null for a wrong value, not for an absent one', () => {
    const event = {
      component: 'c',
      environment: 'e',
      email: 'a@b.co',
      message: 'm',
      data: {},
      device_id: null,
    };
    expect(validatorOf(NewEvent)(event).map(({ pointer }) => pointer)).toEqual(['/device_id']);
  });

  it('does not take what an object inherits for a field', () => {
    const inherited = Object.create({
      component: 'c',
      environment: 'e',
      email: 'a@b.co',
      message: 'm',
      data: {},
    });
    expect(validatorOf(NewEvent)(inherited)).toHaveLength(5);
  });

  it('points at unknown names as RFC 6901 writes them', () => {
    const pointers = validatorOf(EventQuery)({ 'a/b~c': 1, constructor: 1 }).map(({ pointer }) => pointer);
    expect(pointers).toEqual(['/a~1b~0c', '/constructor']);
  });

  it('lists no more than a hundred errors of a body that is all wrong', () => {
    const wrong = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`field_${index}`, 1]));
    expect(validatorOf(NewEvent)(wrong)).toHaveLength(100);
  });

  it('is there only for classes that declare fields', () => {
    expect([
      isDeclared(NewEvent),
      isDeclared(EventQuery),
      isDeclared(Object),
      isDeclared(String as never),
    ]).toEqual([true, true, false, false]);
  });
});
