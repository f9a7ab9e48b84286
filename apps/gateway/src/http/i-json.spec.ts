import fc from 'fast-check';
import { parseIJson } from './i-json.js';

const RESERVED = ['__proto__', 'constructor', 'prototype'];
const text = fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed() && !one.includes('\0'));
const name = text.filter((one) => !RESERVED.includes(one));
const number = fc.oneof(
  fc.maxSafeInteger(),
  // Whole numbers beyond the safe ones are written in digits up to 1e21.
  fc
    .double({ noDefaultInfinity: true, noNaN: true })
    .filter((one) => !Number.isInteger(one) || Math.abs(one) >= 1e21),
);
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.constantFrom(null, true, false),
    number,
    text,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(name, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}));

function codeOf(body: string | Uint8Array): string {
  try {
    parseIJson(Buffer.from(body as string));
    return 'accepted';
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a body of I-JSON', () => {
  it('means what JSON means, for everything that every reader understands alike', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 2, '\t'), (value, space) => {
        const written = JSON.stringify(value, undefined, space);
        expect(parseIJson(Buffer.from(written))).toEqual(JSON.parse(written));
      }),
      { numRuns: 500 },
    );
  });

  it('may escape every character of every text', () => {
    const escaped = (plain: string): string =>
      `"${plain.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`;
    fc.assert(
      fc.property(fc.dictionary(name, text, { noNullPrototype: true }), (object) => {
        const entries = Object.entries(object).map(([key, value]) => `${escaped(key)}:${escaped(value)}`);
        expect(parseIJson(Buffer.from(`{${entries.join(',')}}`))).toEqual(object);
      }),
    );
  });

  it('refuses what is no JSON, and takes what is, as JSON.parse does', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '\\',
      'a',
      '1',
      '-',
      '.',
      'e',
      ' ',
      'true',
      '\\"',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const body = parts.join('');
        let parsed: unknown;
        try {
          parsed = parseIJson(Buffer.from(body));
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid' });
          return;
        }
        expect(parsed).toEqual(JSON.parse(body));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['the largest safe whole number', '9007199254740991'],
    ['the smallest safe whole number', '-9007199254740991'],
    ['minus zero', '-0'],
    ['a fraction that no double is', '0.1'],
    ['a fraction of many digits', '0.12345678901234567'],
    ['a large number with an exponent', '1e21'],
    ['a number that is too small to tell from zero', '1e-400'],
    ['the largest double', '1.7976931348623157e308'],
    ['64 levels', '['.repeat(64) + ']'.repeat(64)],
    [
      '64 levels, again and again',
      `[${Array(50)
        .fill('['.repeat(63) + ']'.repeat(63))
        .join(',')}]`,
    ],
    ['equal names in different objects', '{"a":{"a":[{"a":1},{"a":2}]}}'],
    ['names that differ in case', '{"a":1,"A":2}'],
    ['values like names', '{"a":"a","b":"a"}'],
    ['reserved words as values', '["__proto__","constructor"]'],
    ['a name that only looks reserved', '{"__proto":1,"constructors":2}'],
    ['a pair of surrogates in escapes', '"\\ud83d\\ude00"'],
    ['brackets and commas inside text', '{"a,{[":"}],\\"b\\":1","b":"\\\\"}'],
    ['an empty name', '{"":1}'],
    ['white space around it', ' \r\n\t{"a" : 1 , "b" : [ ] } '],
  ])('takes %s', (_, body) => {
    expect(codeOf(body)).toBe('accepted');
  });

  it.each<[string, string | Uint8Array]>([
    ['nothing', ''],
    ['blanks', ' \n '],
    ['no JSON', '{"a":}'],
    ['two values', '{} {}'],
    ['a byte order mark', '\ufeff{}'],
    ['bytes that are no UTF-8', new Uint8Array([0x22, 0xff, 0x22])],
    ['an overlong slash', new Uint8Array([0x22, 0xc0, 0xaf, 0x22])],
    ['a surrogate in UTF-8', new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22])],
    ['UTF-16', Buffer.from('{}', 'utf16le')],
    ['half of a surrogate pair in an escape', '"\\ud83d"'],
    ['the other half', '"\\ude00"'],
    ['the halves the wrong way round', '"\\ude00\\ud83d"'],
    ['half of a pair in a name', '{"\\ud83d":1}'],
    ['NUL', '"\\u0000"'],
    ['NUL in a name', '{"a\\u0000":1}'],
    ['NUL deep inside', '{"a":[{"b":["\\u0000"]}]}'],
    ['two equal names', '{"a":1,"a":1}'],
    ['two equal names, one escaped', '{"a":1,"\\u0061":2}'],
    ['two equal names, far apart', '{"a":{"b":[1,{"c":2}]},"d":"e","a":3}'],
    ['two equal names deep inside', '[[{"x":{"a":1,"b":2,"a":3}}]]'],
    ['two empty names', '{"":1,"":2}'],
    ['__proto__', '{"__proto__":{"role":"admin"}}'],
    ['__proto__ in escapes', '{"\\u005f_proto__":1}'],
    ['constructor', '{"a":{"constructor":{"prototype":{}}}}'],
    ['prototype', '{"prototype":1}'],
    ['infinity', '1e400'],
    ['minus infinity', '[-1e400]'],
    ['2^53 + 1', '9007199254740993'],
    ['2^53', '{"a":9007199254740992}'],
    ['twenty digits', '12345678901234567890'],
    ['65 levels of lists', '['.repeat(65) + ']'.repeat(65)],
    ['65 levels of objects', '{"a":'.repeat(65) + '1' + '}'.repeat(65)],
    ['100,000 levels', '['.repeat(100_000) + ']'.repeat(100_000)],
    ['100,000 levels that never end', '['.repeat(100_000)],
  ])('refuses %s', (_, body) => {
    expect(codeOf(body)).toBe('invalid');
  });

  describe('with exact decimals among its members', () => {
    const read = (body: string): unknown => parseIJson(Buffer.from(body), ['price']);

    it.each([
      ['{"price":19.90}', '19.90'],
      ['{"a":[{"b":1}], "price" : 123456789012.123456 }', '123456789012.123456'],
      ['{"price":123456789012345678}', '123456789012345678'],
      ['{"\\u0070rice":1e-05}', '0.00001'],
      ['{"price":-0.10}', '-0.10'],
      ['{"price":1e400}', '1e400'],
      ['{"price":"19.90"}', '19.90'],
    ])('reads the digits of %s', (body, price) => {
      expect(read(body)).toMatchObject({ price });
    });

    it('reads every other number as a number', () => {
      const others = { a: 1.5, b: { price: 2.5 }, c: [3.5], price: null };
      expect(read(JSON.stringify(others))).toEqual(others);
      expect(read('[19.90]')).toEqual([19.9]);
      expect(read('{"price":[19.90]}')).toEqual({ price: [19.9] });
      expect(() => read('{"b":{"price":9007199254740993}}')).toThrow('numbers that a double can hold');
    });
  });

  it('pollutes nothing', () => {
    codeOf('{"__proto__":{"polluted":true}}');
    codeOf('{"constructor":{"prototype":{"polluted":true}}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('names the name that stands there twice, cut to what a reader needs', () => {
    const twice = `{"${'x'.repeat(5_000)}":1,"${'x'.repeat(5_000)}":2}`;
    expect(() => parseIJson(Buffer.from(twice))).toThrow(`must not hold the name "${'x'.repeat(64)}" twice`);
  });

  it('is read in time that grows with its length alone', () => {
    // Reading each text from the start of the body would take this one many minutes.
    const texts = Array.from({ length: 1_000_000 }, () => 'a');
    expect(parseIJson(Buffer.from(JSON.stringify(texts)))).toHaveLength(texts.length);
  });
});
