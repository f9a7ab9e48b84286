import fc from 'fast-check';
import { type FirstRows } from './database.js';
import { walk } from './walk.js';

/** Reads a list of numbers from 0 on; each read has room for as many as told, in turn. */
function reading(length: number, rooms: number[]) {
  const asked: number[] = [];
  const read = async (limit: number, last = -1): Promise<FirstRows<number>> => {
    const room = rooms[asked.push(limit) % rooms.length]!;
    const found = Array.from({ length }, (_, index) => index).slice(last + 1, last + 1 + limit);
    return { rows: found.slice(0, room), isCut: found.length > room };
  };
  return { asked, read };
}

async function seen(chunks: AsyncIterable<number[]>): Promise<number[]> {
  const all: number[] = [];
  for await (const rows of chunks) all.push(...rows);
  return all;
}

describe('a walk', () => {
  it('passes each row once, in order, wherever its reads are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.nat(1_000),
        fc.integer({ min: 1, max: 1_001 }),
        fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(undefined, 250, 1_001),
        async (length, expected, rooms, at_once) => {
          const { read } = reading(length, rooms);
          expect(await seen(walk(expected, read, at_once))).toEqual(
            Array.from({ length }, (_, index) => index),
          );
        },
      ),
    );
  });

  it('reads a page unless told at once, with the row that tells of a next one', async () => {
    const { asked, read } = reading(100, [Infinity]);
    expect(await seen(walk(101, read))).toHaveLength(100);
    expect(asked).toEqual([101]);
  });

  it('reads at once as many more as it is told', async () => {
    const { asked, read } = reading(1_000, [Infinity]);
    expect(await seen(walk(1_001, read, 1_001))).toHaveLength(1_000);
    expect(asked).toEqual([1_001]);
  });

  it('asks for more when all had room, and for as many as had room when some had not', async () => {
    const small = reading(1_001, [Infinity]);
    await seen(walk(1_001, small.read));
    expect(small.asked).toEqual([32, 64, 128, 256, 500, 500]);
    const large = reading(60, [16]);
    await seen(walk(1_001, large.read));
    expect(large.asked).toEqual([32, 16, 32, 16]);
  });

  it('of few who leave out some asks a few times, not thousands', async () => {
    const { asked, read } = reading(5_000, [Infinity]);
    await seen(walk(2, read));
    expect(asked.length).toBeLessThan(30);
  });
});
