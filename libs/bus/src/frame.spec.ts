import fc from 'fast-check';
import { decodeFrame, encodeFrame } from './frame.js';

const head = fc.jsonValue();
const body = fc.oneof(
  fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom('', 'the same'),
);
const parts = fc.array(fc.record({ head, body }), { maxLength: 20 });

describe('a frame', () => {
  it('gives back every head and every body as they went in', () => {
    fc.assert(
      fc.property(parts, fc.boolean(), (sent, once) => {
        const received = decodeFrame(encodeFrame(sent, once));
        expect(received.map((part) => part.head)).toEqual(sent.map((part) => throughJson(part.head)));
        expect(received.map((part) => Buffer.from(part.body))).toEqual(
          sent.map((part) => Buffer.from(part.body as Uint8Array)),
        );
      }),
    );
  });

  it('carries a body that several parts in a row have once, for those who read that', () => {
    fc.assert(
      fc.property(body, fc.integer({ min: 2, max: 50 }), (shared, times) => {
        const sent = Array.from({ length: times }, (_, index) => ({ head: index, body: shared }));
        const frame = encodeFrame(sent, true);
        expect(frame.length).toBeLessThanOrEqual(Buffer.from(shared as Uint8Array).length + 20 * times);
        const received = decodeFrame<number>(frame);
        expect(received.map((part) => part.head)).toEqual(sent.map((part) => part.head));
        for (const part of received) expect(part.body).toEqual(Buffer.from(shared as Uint8Array));
      }),
    );
  });

  it('may lie anywhere in a larger buffer', () => {
    fc.assert(
      fc.property(parts, fc.nat(9), (sent, offset) => {
        const frame = encodeFrame(sent);
        const buffer = new Uint8Array(frame.length + offset + 3).fill(0xff);
        buffer.set(frame, offset);
        expect(decodeFrame(buffer.subarray(offset, offset + frame.length))).toEqual(decodeFrame(frame));
      }),
    );
  });

  it('is refused when anything of it is missing', () => {
    fc.assert(
      fc.property(parts, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (sent, share) => {
        const frame = encodeFrame(sent, true);
        expect(() => decodeFrame(frame.subarray(0, Math.floor(frame.length * share)))).toThrow();
      }),
    );
  });

  it('is refused when anything follows it', () => {
    fc.assert(
      fc.property(parts, fc.uint8Array({ minLength: 1 }), (sent, more) => {
        expect(() => decodeFrame(Buffer.concat([encodeFrame(sent), more]))).toThrow();
      }),
    );
  });

  it('is never made of rubbish', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (rubbish) => {
        expect(() => decodeFrame(rubbish)).toThrow();
      }),
    );
  });

  it.each([
    ['heads that are no list', '{}'],
    ['heads that are a number', '5'],
    ['a head that is no pair', '[7]'],
    ['a size that is text', '[["0", 1]]'],
    ['a size below nothing', '[[-1, 1]]'],
    ['a body once more that was not there before', '[[null, 1]]'],
  ])('is refused with %s', (_, heads) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(heads.length);
    expect(() => decodeFrame(Buffer.concat([length, Buffer.from(heads)]))).toThrow();
  });
});

/** What JSON makes of a value: it has no minus zero. */
function throughJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
