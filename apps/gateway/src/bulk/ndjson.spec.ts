import fc from 'fast-check';
import { linesOf } from './ndjson.js';

const MAX_BYTES = 8;

/** The lines of a text that arrives in chunks of these sizes, in turn; null for one that was too long. */
async function linesIn(text: string, sizes: number[] = [text.length], at_a_time = 100) {
  const bytes = Buffer.from(text);
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
      const size = sizes[turn % sizes.length]!;
      yield bytes.subarray(at, at + size);
      at += size;
    }
  }
  const batches: (string | null)[][] = [];
  for await (const batch of linesOf(chunks(), MAX_BYTES, at_a_time))
    batches.push(batch.map((line) => line && line.toString()));
  return batches;
}

describe('lines of a stream', () => {
  it('are the same however the stream is cut into chunks', async () => {
    const texts = fc.array(fc.constantFrom('', 'a', 'é', '12345678', '123456789', 'x'.repeat(100)));
    const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 });
    await fc.assert(
      fc.asyncProperty(texts, sizes, fc.boolean(), async (lines, chunks, isClosed) => {
        const text = lines.join('\n') + (isClosed ? '\n' : '');
        const expected = text.split('\n').map((line) => (Buffer.byteLength(line) > MAX_BYTES ? null : line));
        // Behind the last newline, nothing is no line.
        if (expected.at(-1) === '') expected.pop();
        expect((await linesIn(text, chunks)).flat()).toEqual(expected);
      }),
    );
  });

  it('come as they arrive, and no more than so many at a time', async () => {
    expect(await linesIn('a\nb\nc\nd\ne', [100], 2)).toEqual([['a', 'b'], ['c', 'd'], ['e']]);
    expect(await linesIn('a\nb\nc\nd\n', [4])).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
  });

  it('are none in nothing', async () => {
    expect(await linesIn('')).toEqual([]);
  });
});
