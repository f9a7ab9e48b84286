import fc from 'fast-check';
import { deltaOf } from './delta.js';
import { type JsonObject } from './json-equality.js';
import { mergePatch } from './merge-patch.js';

const documents = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.jsonValue({ maxDepth: 3 }), {
  maxKeys: 3,
  noNullPrototype: true,
}) as fc.Arbitrary<JsonObject>;

describe('the delta of desired and current', () => {
  it.each<[desired: JsonObject, current: JsonObject, delta: JsonObject | undefined]>([
    [{}, { a: 1 }, undefined],
    [{ a: 1 }, {}, { a: 1 }],
    [{ a: 1 }, { a: 1, b: 2 }, undefined],
    [{ a: { b: 1, c: 2 } }, { a: { b: 1, c: 3 } }, { a: { c: 2 } }],
    [{ a: [1, 2] }, { a: [1] }, { a: [1, 2] }],
    [{ a: { b: 1 } }, { a: 5 }, { a: { b: 1 } }],
    [{ a: null }, { a: 1 }, { a: null }],
    [{ a: null }, {}, undefined],
    [{ a: {} }, {}, { a: {} }],
  ])('of %j and %j is %j', (desired, current, delta) => {
    expect(deltaOf(desired, current)).toEqual(delta);
  });

  it('is gone once it is merged into what is current', () => {
    fc.assert(
      fc.property(documents, documents, (desired, current) => {
        const delta = deltaOf(desired, current);
        if (delta) expect(deltaOf(desired, mergePatch(current, delta))).toBeUndefined();
      }),
    );
  });

  it('is nothing between equals', () => {
    fc.assert(fc.property(documents, (document) => expect(deltaOf(document, document)).toBeUndefined()));
  });
});
