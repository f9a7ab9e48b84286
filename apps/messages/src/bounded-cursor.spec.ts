import fc from 'fast-check';
import { encodeCursor, type Position } from '#database';
import { placeAfter, walkLeft } from './bounded-cursor.js';

const positions: fc.Arbitrary<Position> = fc.tuple(
  fc
    .date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    })
    .map((instant) => instant.toISOString()),
  fc.uuid(),
);

describe('the cursor of a bounded walk', () => {
  it('leads back to the message it is behind, and to the end of the walk', () => {
    fc.assert(
      fc.property(positions, fc.option(positions, { nil: undefined }), ([created_at, id], to) => {
        const cursor = encodeCursor(placeAfter({ created_at, id }, to));
        expect(walkLeft(cursor)).toEqual({ from: [created_at, id], to });
      }),
    );
  });

  it.each([
    ['no id', ''],
    ['no UUID', 'pump'],
    ['an end that is none', '01a1fd56-b425-76a1-9a03-c95676710258 end'],
    ['two ends', '01a1fd56-b425-76a1-9a03-c95676710258 end end'],
  ])('with %s is refused', (_, place) => {
    const cursor = encodeCursor(['2026-01-31T12:00:00.000Z', place]);
    expect(() => walkLeft(cursor)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
