import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { join } from 'node:path';

const BUILT = join(process.cwd(), 'dist/libs/service/src/idle-collection.js');

/** A process that is busy, then idle: says how many MB it held at the end of either. */
const PROCESS = `
import { setTimeout } from 'node:timers/promises';
const { collectWhenIdle } = await import(process.argv[1]);
const megabytes = () => Math.round(process.memoryUsage.rss() / 1024 / 1024);
let held = Array.from({ length: 200_000 }, (_, index) => ({ index, data: new Array(100).fill(index) }));
const busy = megabytes();
held = undefined;
if (process.argv[2] === 'collects') collectWhenIdle(3_000);
await setTimeout(6_000);
console.log(JSON.stringify({ busy, idle: megabytes() }));
`;

async function run(argument: string): Promise<{ busy: number; idle: number }> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--input-type=module', '--eval', PROCESS, BUILT, argument],
  ]);
  return JSON.parse(stdout) as { busy: number; idle: number };
}

describe('a process whose busy time is over', () => {
  it('gives back what it held, which it would keep by itself', async () => {
    const [kept, given] = await Promise.all([run('keeps'), run('collects')]);
    expect(kept.idle).toBeGreaterThan(kept.busy * 0.8);
    expect(given.idle).toBeLessThan(given.busy * 0.5);
  });
});
