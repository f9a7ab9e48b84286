import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';

const BUILT = join(process.cwd(), 'dist/libs/service/src/heap-growth.js');

/** Much stays alive, and what comes lives a while: says how many times the one the heap was with the other, at most. */
const PROCESS = `
const { boundHeapGrowth } = await import(process.argv[1]);
if (process.argv[2] === 'bounded') boundHeapGrowth();
const alive = Array.from({ length: 300_000 }, (_, number) => ({ number, text: 'text ' + number }));
const passing = new Array(20_000);
gc();
const before = process.memoryUsage().heapUsed;
let most = 0;
for (let number = 0; number < 10_000_000; number += 1) {
  passing[number % passing.length] = { number, values: [number] };
  if (number % 100_000 === 0) most = Math.max(most, process.memoryUsage().heapUsed);
}
console.log(alive.length && most / before);
`;

async function growthOf(argument: string): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--expose-gc', '--max-semi-space-size=1', '--input-type=module', '--eval', PROCESS, BUILT, argument],
  ]);
  return Number(stdout);
}

describe('a heap with much that stays and much that passes', () => {
  it('is collected at about twice what is alive, long before V8 would do so by itself', async () => {
    const [free, bounded] = [await growthOf('free'), await growthOf('bounded')];
    expect(bounded).toBeLessThan(3.5);
    expect(bounded).toBeLessThan(0.75 * free);
  });
});
