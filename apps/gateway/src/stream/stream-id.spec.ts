import fc from 'fast-check';
import { ENTRY_KINDS, type FeedPosition } from '#contracts';
import { placesOf, streamIdOf } from './stream-id.js';

const position = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String), fc.uuid());
const places = fc
  .subarray([...ENTRY_KINDS], { minLength: 1 })
  .chain((kinds) => fc.record(Object.fromEntries(kinds.map((kind) => [kind, position]))));
const UUID = '0198c0de-0000-7000-8000-000000000001';

describe('the id of an event of a stream', () => {
  it('says where its reader stands, and goes into a header', () => {
    fc.assert(
      fc.property(places, (some: Record<string, FeedPosition>) => {
        const id = streamIdOf(some);
        expect(placesOf(id)).toEqual(some);
        expect(id).toMatch(/^[\x21-\x7e]{1,400}$/);
      }),
    );
  });

  it.each([
    'x',
    ',',
    `event:1:${UUID},`,
    `event:-1:${UUID}`,
    `event:9223372036854775808:${UUID}`,
    `rumour:1:${UUID}`,
    `audit:1:${UUID}`,
    `event:1:${UUID.toUpperCase()}`,
    `event:1:${UUID},event:2:${UUID}`,
    `__proto__:1:${UUID}`,
  ])('is one that was sent, not %s', (id) => {
    expect(() => placesOf(id)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
