import fc from 'fast-check';
import { isSameDecimal } from '#contracts';
import { nextLink, type Link } from './price-chain.js';

const NOW = '2026-01-31T12:00:00.000Z';
const last: Link = {
  price: '19.90',
  previous_price: '1',
  sequence: 7,
  timestamp: '2026-01-30T12:00:00.000Z',
};

describe('the next link of a price chain', () => {
  it('is the first when there is none', () => {
    expect(nextLink(undefined, { price: '0.10' }, NOW)).toEqual({
      result: 'applied',
      link: { price: '0.10', previous_price: null, sequence: 1, timestamp: NOW },
    });
  });

  it('follows the last', () => {
    expect(nextLink(last, { price: '20' }, NOW)).toEqual({
      result: 'applied',
      link: { price: '20', previous_price: '19.90', sequence: 8, timestamp: NOW },
    });
  });

  it('is none for the price that holds already, whatever its digits', () => {
    expect(nextLink(last, { price: '19.9' }, NOW)).toEqual({ result: 'duplicate', link: last });
  });

  it('is never earlier than the last, whatever the clock says', () => {
    const verdict = nextLink({ ...last, timestamp: '2026-02-01T00:00:00.000Z' }, { price: '20' }, NOW);
    expect(verdict.link!.timestamp).toBe('2026-02-01T00:00:00.000Z');
  });

  it.each([
    ['the price that is expected', last, '19.9', 'applied'],
    ['another price than expected', last, '19.91', 'unexpected'],
    ['a price where none is expected', last, null, 'unexpected'],
    ['no price where one is expected', undefined, '19.90', 'unexpected'],
    ['no price where none is expected', undefined, null, 'applied'],
  ] as const)('meets %s', (_, link, expected_previous_price, result) => {
    const verdict = nextLink(link, { price: '20', expected_previous_price }, NOW);
    expect(verdict.result).toBe(result);
    if (result === 'unexpected') expect(verdict.link).toBe(link);
  });

  it('refuses an unexpected price even when it is the wished one', () => {
    expect(nextLink(last, { price: '19.90', expected_previous_price: '1' }, NOW).result).toBe('unexpected');
  });

  it('makes one chain of any wishes at any times', () => {
    const wishes = fc.array(
      fc.record({
        price: fc.constantFrom('1', '1.0', '2', '2.50', '2.5'),
        expected_previous_price: fc.constantFrom(undefined, null, '1', '2.5'),
        now: fc.constantFrom('2026-01-31T12:00:00.000Z', '2026-01-31T12:00:00.001Z'),
      }),
    );
    fc.assert(
      fc.property(wishes, (all) => {
        const chain: Link[] = [];
        for (const { now, ...wish } of all) {
          const verdict = nextLink(chain.at(-1), wish, now);
          if (verdict.result === 'applied') chain.push(verdict.link);
          else expect(verdict.link).toBe(chain.at(-1));
        }
        chain.forEach((link, index) => {
          const before = chain[index - 1];
          expect(link.sequence).toBe(index + 1);
          expect(link.previous_price).toBe(before?.price ?? null);
          if (before) expect(isSameDecimal(link.price, before.price)).toBe(false);
          if (before) expect(link.timestamp >= before.timestamp).toBe(true);
        });
      }),
    );
  });
});
