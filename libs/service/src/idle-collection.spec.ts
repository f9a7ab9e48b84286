import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';

const BUILT = join(process.cwd(), 'dist/libs/service/src/idle-collection.js');

/** A process that is busy, then idle: says how many MB it held at the end of either. */
const processOf = (make: string, stays: string): string => `
import { setTimeout } from 'node:timers/promises';
const [, path, collects] = process.argv;
const { collectWhenIdle } = await import(path);
const megabytes = () => Math.round(process.memoryUsage.rss() / 1024 / 1024);
let held = Array.from({ length: 200_000 }, (_, index) => ${make});
const kept = held.filter((_, index) => ${stays});
const busy = megabytes();
held = undefined;
if (collects === 'collects') collectWhenIdle(3_000);
await setTimeout(6_000);
console.log(JSON.stringify({ busy, idle: megabytes(), kept: kept.length }));
`;

async function run(script: string, argument: string): Promise<{ busy: number; idle: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--input-type=module', '--eval', script, BUILT, argument],
  ]);
  return JSON.parse(stdout) as { busy: number; idle: number };
}

describe('a process whose busy time is over', () => {
  it.each([
    ['objects', '({ index, data: new Array(100).fill(index) })', 'false'],
    ['buffers, some of which are still used', 'Buffer.allocUnsafeSlow(1_000).fill(1)', 'index % 100 === 0'],
  ])('gives back what it held, which it would keep by itself: %s', async (_, make, stays) => {
    const script = processOf(make, stays);
    const [kept, given] = await Promise.all([run(script, 'keeps'), run(script, 'collects')]);
    expect(kept.idle).toBeGreaterThan(kept.busy * 0.8);
    expect(given.idle).toBeLessThan(given.busy * 0.5);
  });
});
