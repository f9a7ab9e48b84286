import fc from 'fast-check';
import { encodeCursor } from '#database';
import { placeOf, positionOf, type Place } from './change-cursor.js';

const places = fc.record({
  timestamp: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
    .map((instant) => instant.toISOString()),
  product_id: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 128 }),
  sequence: fc.integer({ min: 1, max: 999_999_999_999_999 }),
});

describe('a cursor of price changes', () => {
  it('leads back to the change that it was made of', () => {
    const reached = (place: Place): Place => placeOf(encodeCursor(positionOf(place)));
    fc.assert(fc.property(places, (place) => expect(reached(place)).toEqual(place)));
  });

  it.each(['p', '0 p', '-1 p', '1', '1 ', '1.5 p', '1e3 p', '9999999999999999 p'])(
    'is refused with %j in the place of a product and its sequence',
    (id) => {
      const cursor = encodeCursor(['2026-01-31T12:00:00.000Z', id]);
      expect(() => placeOf(cursor)).toThrow(expect.objectContaining({ code: 'invalid' }));
    },
  );
});
