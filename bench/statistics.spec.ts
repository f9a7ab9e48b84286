import fc from 'fast-check';
import { quantile, spreadOf } from './statistics.js';

const figures = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });

describe('Figures of several rounds', () => {
  it('have the middle one, or the mean of the two in the middle, as their median', () => {
    expect(spreadOf([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9 });
    expect(spreadOf([4, 1, 9, 2])).toEqual({ median: 3, min: 1, max: 9 });
  });

  it('have a quantile that is one of them, with at least that fraction at or below it', () => {
    fc.assert(
      fc.property(figures, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, fraction) => {
        const found = quantile(values, fraction);

        expect(values).toContain(found);
        expect(values.filter((value) => value <= found).length).toBeGreaterThanOrEqual(
          fraction * values.length,
        );
      }),
    );
  });

  it('have p99 below the one outlier of a thousand', () => {
    expect(quantile([...Array<number>(999).fill(1), 50], 0.99)).toBe(1);
  });
});
