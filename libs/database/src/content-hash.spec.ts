import fc from 'fast-check';
import { contentHash } from './content-hash.js';

/** The same content with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, content]) => [name, reversed(content)]),
  );
}

const json = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);

describe('the hash of a content', () => {
  it('does not hang on the order of keys', () => {
    fc.assert(
      fc.property(json, (content) => {
        expect(contentHash(reversed(content))).toBe(contentHash(content));
      }),
    );
  });

  it('differs for contents that differ', () => {
    fc.assert(
      fc.property(json, json, (one, other) => {
        fc.pre(JSON.stringify(sorted(one)) !== JSON.stringify(sorted(other)));
        expect(contentHash(one)).not.toBe(contentHash(other));
      }),
    );
  });

  it.each([
    [{ a: 1 }, { a: '1' }],
    [
      [1, 2],
      [2, 1],
    ],
    [{ a: null }, {}],
    [[], {}],
    ['', null],
    [{ a: { b: 1 } }, { a: {}, b: 1 }],
  ])('of %j is not that of %j', (one, other) => {
    expect(contentHash(one)).not.toBe(contentHash(other));
  });

  it('is SHA-256 of the canonical JSON, so that clients can make it too', () => {
    // printf '{"a":1,"b":[true,null]}' | sha256sum
    expect(contentHash({ b: [true, null], a: 1.0 })).toBe(
      '1cc69c7fa23616ca2ec3ee70d24390a6225c8832db8a4c814c7e0e7f942f8668',
    );
  });
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return entries.map(([name, content]) => ['entry', name, sorted(content)]);
}
