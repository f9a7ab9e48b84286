import { type Bench } from './bench.js';
import { runLoad, type LoadPlan } from './load.js';

const SIZES = [8, 16, 32];
const TRIAL = { warm_up_s: 1, seconds: 2 };

/** A baseline with the pool that serves it best: each size is tried twice, as the first try meets a cold table. */
export async function withBestPool<T extends { url: string; stop(): Promise<void> }>(
  bench: Bench,
  name: string,
  start: (pool_size: number) => Promise<T>,
  plan: Pick<LoadPlan, 'connections' | 'requests'>,
): Promise<{ running: T; pool_size: number }> {
  return bench.prepare(`the pool of ${name}`, async () => {
    let best = { pool_size: 0, rate: -1 };
    for (const pool_size of [...SIZES, ...SIZES]) {
      const trial = await start(pool_size);
      const { rate } = await runLoad({ ...plan, ...TRIAL, url: trial.url });
      await trial.stop();
      console.error(`  ${name} with ${pool_size} connections to Postgres: ${Math.round(rate)}/s`);
      if (rate > best.rate) best = { pool_size, rate };
    }
    return { running: await start(best.pool_size), pool_size: best.pool_size };
  });
}
