import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';

const BUILT = join(process.cwd(), 'dist/libs/service/src/garbage-collection.js');

const TUNED = `
const { tuneGarbageCollection } = await import(process.argv[1]);
if (process.argv[2] === 'tuned') tuneGarbageCollection();
`;

/** Much stays alive, and what comes lives a while: says how many times the one the heap was with the other, at most. */
const MUCH_STAYS = `
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

/** Calls live long at first, and briefly from then on: says how many MB of them grew old after that, at most. */
const A_SLOW_START = `
const { getHeapSpaceStatistics } = await import('node:v8');
const oldSpace = () => getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space').space_used_size;
class Call {
  constructor(number) {
    this.values = [number, number];
  }
}
const underWay = [];
function work(calls, atOnce) {
  for (let number = 0; number < calls; number += 1) underWay[number % atOnce] = new Call(number);
  underWay.length = 0;
}
for (let turn = 0; turn < 40; turn += 1) {
  work(5_000, 5_000);
  await new Promise(setImmediate);
}
gc();
const before = oldSpace();
let most = 0;
for (let turn = 0; turn < 300; turn += 1) {
  work(10_000, 64);
  most = Math.max(most, oldSpace());
}
console.log((most - before) / 1e6);
`;

/** Much stays alive, and buffers pass through: says how often the whole heap was collected for them. */
const BUFFERS_PASS = `
const { constants, PerformanceObserver } = await import('node:perf_hooks');
const { setTimeout } = await import('node:timers/promises');
const alive = Array.from({ length: 1_000_000 }, (_, number) => ({ number, text: 'text ' + number }));
const passing = new Array(64);
gc();
await setTimeout(100);
let collections = 0;
new PerformanceObserver((list) => {
  for (const { detail } of list.getEntries()) if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) collections += 1;
}).observe({ type: 'gc' });
for (let number = 0; number < 20_000; number += 1) {
  passing[number % passing.length] = Buffer.allocUnsafeSlow(64 * 1024);
  if (number % 20 === 0) await new Promise(setImmediate);
}
await setTimeout(100);
console.log(alive.length && collections);
`;

async function said(script: string, argument: 'free' | 'tuned'): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...[
      '--expose-gc',
      '--max-semi-space-size=1',
      '--input-type=module',
      '--eval',
      TUNED + script,
      BUILT,
      argument,
    ],
  ]);
  return Number(stdout);
}

describe('garbage', () => {
  it('among much that stays is collected at about twice what is alive, long before V8 would do so by itself', async () => {
    const [free, tuned] = [await said(MUCH_STAYS, 'free'), await said(MUCH_STAYS, 'tuned')];
    expect(tuned).toBeLessThan(3.5);
    expect(tuned).toBeLessThan(0.75 * free);
  });

  it('of buffers is no reason to look through all that stays', async () => {
    const [free, tuned] = [await said(BUFFERS_PASS, 'free'), await said(BUFFERS_PASS, 'tuned')];
    expect(tuned).toBeLessThan(0.5 * free);
  });

  it('of calls that are over at once is young, however long calls took before', async () => {
    expect(await said(A_SLOW_START, 'tuned')).toBeLessThan(5);
    expect(await said(A_SLOW_START, 'free')).toBeGreaterThan(20);
  });
});
