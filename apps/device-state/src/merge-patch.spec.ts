import fc from 'fast-check';
import { isSameJson, type Json, type JsonObject } from './json-equality.js';
import { mergePatch } from './merge-patch.js';

const json = fc.jsonValue({ maxDepth: 3, noUnicodeString: false }) as fc.Arbitrary<Json>;
const documents = fc.dictionary(fc.constantFrom('a', 'b', 'c', '', '0', '__proto__', 'toString'), json, {
  maxKeys: 4,
  noNullPrototype: true,
}) as fc.Arbitrary<JsonObject>;

/** What JSON text can say and nothing else: fast-check's -0 is 0 there. */
const asText = <T extends Json>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

describe('merge patch', () => {
  // RFC 7396, appendix A.
  it.each<[target: Json, patch: Json, result: Json]>([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ a: 'foo' }, 'bar', 'bar'],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('makes of %j by %j: %j', (target, patch, result) => {
    expect(mergePatch(target, patch)).toEqual(result);
  });

  it('leaves its arguments as they are', () => {
    fc.assert(
      fc.property(documents, documents, (target, patch) => {
        const before = JSON.stringify([target, patch]);
        mergePatch(target, patch);
        expect(JSON.stringify([target, patch])).toBe(before);
      }),
    );
  });

  it('changes nothing when it is repeated', () => {
    fc.assert(
      fc.property(documents, documents, (target, patch) => {
        const once = mergePatch(target, patch);
        expect(mergePatch(once, patch)).toBe(once);
      }),
    );
  });

  it('gives the target itself exactly when nothing changed', () => {
    fc.assert(
      fc.property(documents.map(asText), documents.map(asText), (target, patch) => {
        const result = mergePatch(target, patch);
        expect(result === target).toBe(isSameJson(result, target));
      }),
    );
  });

  it('leaves every member that the patch does not name, and none that it removes', () => {
    fc.assert(
      fc.property(documents, documents, (target, patch) => {
        const result = mergePatch(target, patch);
        for (const name of Object.keys(target))
          if (!Object.hasOwn(patch, name)) expect(result[name]).toBe(target[name]);
        for (const name of Object.keys(patch)) expect(Object.hasOwn(result, name)).toBe(patch[name] !== null);
      }),
    );
  });

  it('takes names of prototypes for data', () => {
    const patch = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    ) as JsonObject;
    const result = mergePatch({}, patch);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
    expect(JSON.stringify(result)).toBe(JSON.stringify(patch));
  });
});
