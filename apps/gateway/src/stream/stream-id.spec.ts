import fc from 'fast-check';
import { ENTRY_KINDS, FEED_START, isBehind, type EntryKind, type FeedPosition } from '#contracts';
import { placesOf, placeText, placeWithoutRow } from './stream-id.js';

const position = fc.tuple(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }).map(String), fc.uuid());
const places = fc
  .subarray([...ENTRY_KINDS], { minLength: 1 })
  .chain((kinds) => fc.record(Object.fromEntries(kinds.map((kind) => [kind, position]))));
const UUID = '0198c0de-0000-7000-8000-000000000001';

describe('the id of an event of a stream', () => {
  it('says where its reader stands, and goes into a header', () => {
    fc.assert(
      fc.property(places, (some: Record<string, FeedPosition>) => {
        const id = Object.entries(some)
          .map(([kind, place]) => placeText(kind as EntryKind, place))
          .join();
        expect(placesOf(id)).toEqual(some);
        expect(id).toMatch(/^[\x21-\x7e]{1,400}$/);
      }),
    );
  });

  it('names no row of another, and has behind it just what is still to come', () => {
    const rows = fc.array(fc.record({ transaction: fc.integer({ min: 1, max: 5 }), isOwn: fc.boolean() }));
    fc.assert(
      fc.property(rows, (some) => {
        const feed = some
          .toSorted((a, b) => a.transaction - b.transaction)
          .map(({ transaction, isOwn }, index) => {
            const id = `0198c0de-0000-7000-8000-${String(index).padStart(12, '0')}`;
            return { isOwn, position: [String(transaction), id] as FeedPosition };
          });
        let told = FEED_START;
        feed.forEach(({ isOwn, position }, index) => {
          const place = isOwn ? position : placeWithoutRow(position);
          if (isBehind(place, told)) told = place;
          const toCome = feed.slice(index + 1).filter((row) => row.isOwn);
          expect(feed.filter((row) => row.isOwn && isBehind(row.position, told))).toEqual(toCome);
          expect(feed.some((row) => !row.isOwn && row.position[1] === told[1])).toBe(false);
        });
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
