import fc from 'fast-check';
import { type Position } from '#database';
import { oldest } from './positions.js';

const positions: fc.Arbitrary<Position> = fc.tuple(
  fc.constantFrom('2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.001Z', '2025-12-31T23:59:59.999Z'),
  fc.uuid(),
);

describe('positions', () => {
  it('are older by their time, then by their id', () => {
    fc.assert(
      fc.property(fc.array(positions, { minLength: 1 }), (given) => {
        const sorted = given.map((position) => position.join(' ')).sort();
        expect(oldest(...given)!.join(' ')).toBe(sorted[0]);
      }),
    );
  });

  it('that are not given do not count', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(oldest(undefined, position)).toBe(position);
      }),
    );
    expect([oldest(undefined), oldest()]).toEqual([undefined, undefined]);
  });
});
