import fc from 'fast-check';
import { isTraceparent, keptFirst, spanContextOf, traceIdOf } from './traceparent.js';

const hexOf = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });
const someHex = (length: number) => hexOf(length).filter((text) => /[^0]/.test(text));

describe('a traceparent', () => {
  it('names a trace and a span, and whether it is kept', () => {
    const traceparents = fc.tuple(someHex(32), someHex(16), hexOf(2));
    fc.assert(
      fc.property(traceparents, ([traceId, spanId, flags]) => {
        const text = `00-${traceId}-${spanId}-${flags}`;
        expect(isTraceparent(text)).toBe(true);
        expect(traceIdOf(text)).toBe(traceId);
        expect(spanContextOf(text)).toEqual({
          traceId,
          spanId,
          traceFlags: parseInt(flags, 16) % 2,
          isRemote: true,
        });
      }),
    );
  });

  it.each([
    ['', 'empty'],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7', 'cut off'],
    ['00-4BF92F3577B34DA6A3CE929D0E0E4736-00F067AA0BA902B7-01', 'in capitals'],
    ['ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', 'of no version'],
    ['00-00000000000000000000000000000000-00f067aa0ba902b7-01', 'of no trace'],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01', 'of no span'],
    ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n', 'of two lines'],
  ])('is not: %j, %s', (text) => {
    expect(isTraceparent(text)).toBe(false);
  });

  it('of several is the first that somebody keeps, or else the first', () => {
    const [one, two] = ['00-1f-1f-00', '00-2f-2f-00'].map((text) =>
      text.replace(/(\d)f-\df/, (_, digit: string) => `${digit.repeat(32)}-${digit.repeat(16)}`),
    ) as [string, string];
    const kept = two.replace(/00$/, '01');
    expect(keptFirst([one, two])).toBe(one);
    expect(keptFirst([one, kept])).toBe(kept);
    expect(keptFirst([])).toBeUndefined();
  });
});
