import { isEmail } from 'class-validator';
import fc from 'fast-check';
import {
  Address,
  Characters,
  CursorField,
  DeviceId,
  Timestamp,
  EmailAddress,
  JsonDocument,
  JsonObject,
  Labels,
  Limit,
  Moment,
  MomentNotAfter,
  NotWith,
  OneOf,
  OwnUuid,
  Price,
  PricedProductId,
  SomeOf,
  Text,
  Uuid,
  UuidOrTimestamp,
  WholeNumber,
} from './fields.js';
import { validatorOf } from './validator.js';

class Everything {
  @Text({ max: 5, optional: true }) text?: string;
  @Characters({ max: 5, optional: true }) characters?: string;
  @Address({ optional: true }) address?: string;
  @UuidOrTimestamp({ optional: true }) mark?: string;
  @EmailAddress({ optional: true }) email?: string;
  @EmailAddress({ max: 16, optional: true }) short_email?: string;
  @DeviceId({ optional: true }) device_id?: string;
  @Uuid({ optional: true }) uuid?: string;
  @OwnUuid({ optional: true }) own?: string;
  @JsonObject({ optional: true }) object?: object;
  @OneOf(['asc', 'desc'], { optional: true }) word?: string;
  @WholeNumber({ min: -1, max: 3, optional: true }) number?: number;
  @Labels({ optional: true }) labels?: object;
  @SomeOf(['red', 'blue']) some?: string;
  @Limit(50) limit?: number;
  @CursorField() cursor?: string;
}

class Priced {
  @PricedProductId() product_id!: string;
}

class Required {
  @Text({ max: 5 }) text!: string;
}

function accepts(field: keyof Everything, value: unknown): boolean {
  return validatorOf(Everything)({ [field]: value }).length === 0;
}

const VALID: [keyof Everything, string, unknown][] = [
  ['text', 'text as long as it may be', 'abcde'],
  ['text', 'five characters outside the basic plane', '😀😀😀😀😀'],
  ['text', 'blanks around something', ' a '],
  ['text', 'line breaks and other controls', 'a\n\u0001'],
  ['characters', 'blanks alone', ' \n'],
  ['characters', 'as many as there may be', '😀😀😀😀😀'],
  ['address', 'an e-mail address', 'ada@example.com'],
  ['address', 'a device id', 'pump 7/north'],
  ['mark', 'a UUID in capitals', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
  ['mark', 'a time', '2026-01-31T12:00:00+01:00'],
  ['email', 'an address', 'ada@example.com'],
  ['email', 'a tag and dots', 'ada.b+c@mail.example.co.uk'],
  ['short_email', 'as many characters as it may have', 'adam@example.com'],
  ['device_id', 'a path', 'pump 7/north'],
  ['device_id', 'a wildcard of NATS', '*'],
  ['device_id', 'the other wildcard of NATS', '>'],
  ['device_id', 'dots alone', '..'],
  ['device_id', 'one blank', ' '],
  ['device_id', 'a percent sign', '%00'],
  ['device_id', '128 emoji', '😀'.repeat(128)],
  ['device_id', 'what would be SQL', "'; DROP TABLE events; --"],
  ['uuid', 'any version', '00000000-0000-0000-0000-000000000000'],
  ['uuid', 'the last of all', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ['own', 'any other than the last', 'ffffffff-ffff-ffff-ffff-fffffffffffe'],
  ['uuid', 'capital letters', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'],
  ['object', 'nothing inside', {}],
  ['word', 'a listed word', 'asc'],
  ['number', 'the least', -1],
  ['number', 'the most', 3],
  ['labels', 'texts, empty ones too', { site: 'north', note: '' }],
  ['labels', '64 of them', Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`l${index}`, '']))],
  ['limit', 'one row', 1],
  ['cursor', 'base64url', 'abc-_09'],
  ['cursor', 'what a device id of 128 emoji makes', Buffer.from('😀'.repeat(128)).toString('base64url')],
  ['some', 'one of the words', 'red'],
  ['some', 'several, in any order, again too', 'blue,red,blue'],
];

const INVALID: [keyof Everything, string, unknown][] = [
  ['text', 'nothing', ''],
  ['text', 'blanks', ' \t\n\u00a0\u2003'],
  ['text', 'six characters', 'abcdef'],
  ['text', 'six emoji', '😀'.repeat(6)],
  ['text', 'NUL', 'a\0'],
  ['text', 'half of a surrogate pair', 'a\ud83d'],
  ['text', 'the other half', '\ude00a'],
  ['text', 'null', null],
  ['text', 'a number', 5],
  ['text', 'a list of text', ['a']],
  ['characters', 'nothing', ''],
  ['characters', 'one too many', 'abcdef'],
  ['characters', 'NUL', '\0'],
  ['characters', 'half of a surrogate pair', '\ud83d'],
  ['characters', 'a number', 5],
  ['address', 'nothing', ''],
  ['address', '129 characters', 'x'.repeat(129)],
  ['address', 'a line break', 'a\nb'],
  ['address', 'half of a surrogate pair', '\ud83d'],
  ['own', 'the last of all, which means the end of a feed', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  ['own', 'the last in capitals', 'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF'],
  ['own', 'no UUID', 'ffffffff'],
  ['mark', 'a day', '2026-01-31'],
  ['mark', 'a time without a zone', '2026-01-31T12:00:00'],
  ['mark', 'a number', 7],
  ['email', 'no @', 'ada.example.com'],
  ['email', 'no host', 'ada@'],
  ['email', 'two @', 'ada@b@example.com'],
  ['email', 'a name around it', 'Ada <ada@example.com>'],
  ['email', 'a line break', 'ada@example.com\n'],
  ['email', 'NUL', 'ada\0@example.com'],
  ['email', 'a control character between quotes', '"a\r\nb"@example.com'],
  ['email', 'half of a surrogate pair', '"\ud83d"@example.com'],
  ['email', 'a local part of 65 characters', `${'a'.repeat(65)}@example.com`],
  ['email', 'a list', ['ada@example.com']],
  [
    'email',
    '255 characters',
    `${'a'.repeat(64)}@${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.example`,
  ],
  ['short_email', 'more characters than it may have', 'adams@example.com'],
  ['device_id', 'nothing', ''],
  ['device_id', '129 characters', 'x'.repeat(129)],
  ['device_id', '129 emoji', '😀'.repeat(129)],
  ['device_id', 'NUL', 'a\0b'],
  ['device_id', 'a line break', 'a\nb'],
  ['device_id', 'DEL', 'a\u007f'],
  ['device_id', 'a C1 control', 'a\u0085'],
  ['device_id', 'half of a surrogate pair', '\ud83d'],
  ['device_id', 'a number', 7],
  ['uuid', 'no hyphens', 'a0eebc999c0b4ef8bb6d6bb9bd380a11'],
  ['uuid', 'braces', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'],
  ['uuid', 'a line break', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\n'],
  ['object', 'a list', []],
  ['object', 'null', null],
  ['object', 'text', '{}'],
  ['word', 'another word', 'ASC'],
  ['some', 'nothing', ''],
  ['some', 'another word', 'green'],
  ['some', 'another word among others', 'red,green'],
  ['some', 'nothing after a comma', 'red,'],
  ['some', 'a blank', 'red, blue'],
  ['some', 'a list', ['red']],
  ['some', 'a name that every object has', 'toString'],
  ['word', 'a name that every object has', 'toString'],
  ['number', 'too little', -2],
  ['number', 'too much', 4],
  ['number', 'a fraction', 1.5],
  ['number', 'digits as text', '1'],
  ['number', 'not a number', NaN],
  ['labels', 'a list', ['a']],
  ['labels', 'a number in it', { a: 1 }],
  ['labels', 'a name without characters', { '': 'a' }],
  ['labels', 'NUL in a text', { a: '\0' }],
  ['labels', 'NUL in a name', { 'a\0': 'a' }],
  ['labels', 'a long name', { ['x'.repeat(129)]: 'a' }],
  ['labels', '65 of them', Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, '']))],
  ['limit', 'no row', 0],
  ['limit', 'more than a page holds', 51],
  ['limit', 'very many', 1e9],
  ['cursor', 'nothing', ''],
  ['cursor', 'a blank', 'a b'],
  ['cursor', '1025 characters', 'x'.repeat(1025)],
];

describe('a field', () => {
  it.each(VALID)('%s takes %s', (field, _, value) => {
    expect(accepts(field, value)).toBe(true);
  });

  it.each(INVALID)('%s refuses %s', (field, _, value) => {
    expect(accepts(field, value)).toBe(false);
  });

  it('may be absent only where it is optional', () => {
    expect(validatorOf(Everything)({})).toEqual([]);
    expect(validatorOf(Required)({})).toHaveLength(1);
  });

  it('of a priced product refuses the one word that is a route, as it is written there', () => {
    const accepted = ['changes', 'Changes', 'changes/1'].filter(
      (product_id) => validatorOf(Priced)({ product_id }).length === 0,
    );
    expect(accepted).toEqual(['Changes', 'changes/1']);
    expect(validatorOf(Priced)({ product_id: 'changes' })[0]).toMatchObject({ pointer: '/product_id' });
  });

  it('counts code points, as a person counts characters', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'é', '漢', '😀', '𝔘'), { minLength: 1, maxLength: 9 }),
        (points) => {
          expect(accepts('text', points.join(''))).toBe(points.length <= 5);
        },
      ),
    );
  });

  it('takes the addresses that the whole grammar allows, plain or not, and no other', () => {
    const almost = fc.stringMatching(/^[a-z1._+-]{1,8}@[a-z1.-]{1,10}\.[a-z]{1,4}$/);
    const long = fc
      .tuple(fc.stringMatching(/^[a-z.]{15,70}$/), fc.stringMatching(/^[a-z-]{15,70}\.[a-z]{1,70}$/))
      .map((parts) => parts.join('@'));
    fc.assert(
      fc.property(fc.oneof(almost, long, fc.emailAddress()), (address) => {
        expect(accepts('email', address)).toBe(isEmail(address));
      }),
      { numRuns: 2_000 },
    );
  });

  it('never takes text that Postgres cannot keep', () => {
    const broken = fc
      .tuple(fc.string(), fc.constantFrom('\0', '\ud83d', '\ude00'), fc.string())
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(broken, (text) => {
        for (const field of ['text', 'characters', 'address', 'email', 'device_id'] as const)
          expect(accepts(field, text)).toBe(false);
        expect(accepts('labels', { [text]: 'a' })).toBe(false);
        expect(accepts('labels', { a: text })).toBe(false);
      }),
    );
  });
});

class Report {
  @JsonDocument({ max_bytes: 20, max_depth: 2, optional: true }) document?: object;
  @Timestamp({ ahead_ms: 60_000, optional: true }) time?: string;
  @WholeNumber({ min: 0, max: 9, optional: true }) @NotWith('time') age?: number;
}

describe('a field of a report', () => {
  const errorsOf = (report: Partial<Report>): string[] =>
    validatorOf(Report)(report).map(({ pointer }) => pointer);
  const inSeconds = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();

  it.each<[string, unknown, boolean]>([
    ['an empty document', {}, true],
    ['a document as deep as it may be', { a: [1] }, true],
    ['a document one deeper', { a: [[]] }, false],
    ['a document of just its size', { a: 'x'.repeat(12) }, true],
    ['a document one byte larger', { a: 'x'.repeat(13) }, false],
    ['characters of several bytes', { a: '漢漢漢漢漢' }, false],
    ['a list', [], false],
    ['null', null, false],
  ])('takes, or not: %s', (_, document, isTaken) => {
    expect(errorsOf({ document: document as object })).toEqual(isTaken ? [] : ['/document']);
  });

  it('takes a time that is a little ahead, and none that is further', () => {
    expect(errorsOf({ time: inSeconds(50) })).toEqual([]);
    expect(errorsOf({ time: inSeconds(70) })).toEqual(['/time']);
    expect(errorsOf({ time: '0001-01-01T00:00:00Z' })).toEqual([]);
    expect(errorsOf({ time: '2026-01-31' })).toEqual(['/time']);
  });

  it('takes one of two fields that exclude each other', () => {
    expect(errorsOf({ age: 1 })).toEqual([]);
    expect(errorsOf({ time: inSeconds(0), age: 1 })).toEqual(['/age']);
  });
});

describe('a time range', () => {
  class Range {
    @Moment() @MomentNotAfter('to') from?: string;
    @Moment() to?: string;
  }
  const errorsOf = (range: Range): unknown => validatorOf(Range)(range).map(({ pointer }) => pointer);

  it.each<[string, Range]>([
    ['without ends', {}],
    ['without an end', { from: '2026-01-31' }],
    ['without a start', { to: '2026-01-31' }],
    ['of no length', { from: '2026-01-31', to: '2026-01-31T00:00:00Z' }],
    ['across zones', { from: '2026-01-31T01:00:00+02:00', to: '2026-01-31T00:00:00Z' }],
  ])('%s is one', (_, range) => {
    expect(errorsOf(range)).toEqual([]);
  });

  it('does not end before it starts', () => {
    expect(errorsOf({ from: '2026-02-01', to: '01-31-2026' })).toEqual(['/from']);
  });

  it('of what is no time says only that', () => {
    expect(errorsOf({ from: 'x', to: '2026-01-31' })).toEqual(['/from']);
    expect(errorsOf({ from: '2026-01-31', to: 'x' })).toEqual(['/to']);
  });
});

describe('a price', () => {
  class Prices {
    @Price({ optional: true }) price?: string;
    @Price({ optional: true, nullable: true }) expected?: string | null;
  }
  const accepted = (prices: object): boolean => validatorOf(Prices)(prices).length === 0;

  it('is text of digits, and null only where that means something', () => {
    expect(accepted({ price: '19.90', expected: '1' })).toBe(true);
    expect(accepted({ expected: null })).toBe(true);
    for (const price of [null, 19.9, '', '0', '1e2', ['1']]) expect(accepted({ price })).toBe(false);
    for (const expected of [1, '-1', {}]) expect(accepted({ expected })).toBe(false);
  });
});
