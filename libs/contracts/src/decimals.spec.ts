import fc from 'fast-check';
import { isPrice, isSameDecimal, withoutExponent } from './decimals.js';

/** A price by its parts, as exact integers: digits before the point, and after it. */
const prices = fc
  .tuple(fc.bigInt({ min: 0n, max: 999_999_999_999n }), fc.stringMatching(/^\d{0,6}$/))
  .map(([whole, fraction]) => (fraction === '' ? `${whole}` : `${whole}.${fraction}`))
  .filter((text) => /[1-9]/.test(text));

/** The number of millionths that a decimal is, without ever being a double. */
function millionths(decimal: string): bigint {
  const [whole, fraction = ''] = decimal.split('.');
  return BigInt(whole! + fraction.padEnd(6, '0'));
}

describe('a price', () => {
  it('has up to twelve digits before the point and six after it', () => {
    fc.assert(fc.property(prices, (price) => isPrice(price)));
  });

  it.each(['1', '0.1', '19.90', '0.000001', '123456789012.123456', '123456789012345678', '100'])(
    'may be %s',
    (text) => {
      expect(isPrice(text)).toBe(true);
    },
  );

  it.each([
    ...['0', '0.0', '-1', '+1', '', ' 1', '1 ', '1.', '.5', '01', '1,5', '1_000', '0x10', 'NaN', 'Infinity'],
    ...['1e2', '1e400', '0.0000001', '1.0000000', '1234567890123456789', '1234567890123.123456', '١', '1\n'],
  ])('may not be %j', (text) => {
    expect(isPrice(text)).toBe(false);
  });

  it('is the same as another exactly when it is the same number', () => {
    fc.assert(
      fc.property(prices, prices, fc.nat(6), (one, other, zeros) => {
        expect(isSameDecimal(one, other)).toBe(millionths(one) === millionths(other));
        const longer = `${one}${one.includes('.') ? '' : '.'}${'0'.repeat(zeros + 1)}`;
        expect(isSameDecimal(one, longer)).toBe(true);
      }),
    );
  });
});

describe('a number without its exponent', () => {
  it.each([
    ['1e-05', '0.00001'],
    ['1.5E+3', '1500'],
    ['1.50e1', '15.0'],
    ['1.234e2', '123.4'],
    ['12e-1', '1.2'],
    ['12.5e-3', '0.0125'],
    ['0e5', '0'],
    ['1e0', '1'],
  ])('%s is %s', (written, plain) => {
    expect(withoutExponent(written)).toBe(plain);
  });

  it.each(['19.90', '123456789012.123456', '1e400', '1e-400', '-1e2', 'x'])('leaves %s', (written) => {
    expect(withoutExponent(written)).toBe(written);
  });

  it('is the same number', () => {
    fc.assert(
      fc.property(prices, fc.integer({ min: -12, max: 12 }), (price, exponent) => {
        const [whole, fraction = ''] = withoutExponent(`${price}e${exponent}`).split('.');
        const scale = 40;
        const value = BigInt(whole! + fraction.padEnd(scale, '0'));
        expect(value).toBe(millionths(price) * 10n ** BigInt(scale - 6 + exponent));
      }),
    );
  });
});
