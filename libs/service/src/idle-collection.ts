import { performance } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mallocTrim } from './malloc-trim.js';

type Collect = (options: { type: 'major'; execution: 'async'; flavor: 'last-resort' }) => Promise<void>;

const IDLE_MS = 60_000;
const IDLE_SAMPLES = 4;
/** The share of the time that an app works by itself, looking for news, is less. */
const IDLE_UTILIZATION = 0.05;
const WORTH_IT_BYTES = 16 * 1024 * 1024;

/**
 * Gives memory back when a busy time is over. V8 collects only as it allocates, and keeps the pages that it empties: an
 * idle process would hold for ever what it held at its peak. It costs a pause of some 100 ms, and what V8 has learned of the
 * objects that requests are made of: what is compiled for them goes with the last of them, and the next thousands of
 * requests take up to twice as much processor time. So it comes only after a minute in which nearly nothing was asked, and
 * only when there is something to gain (decision 76).
 * @param idle_ms how long next to nothing was asked, give or take a quarter
 */
export function collectWhenIdle(idle_ms = IDLE_MS): void {
  const collect = exposedCollect();
  let before = performance.eventLoopUtilization();
  let idle_samples = 0;
  let kept_bytes = 0;
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    idle_samples = utilization < IDLE_UTILIZATION ? idle_samples + 1 : 0;
    if (idle_samples !== IDLE_SAMPLES || process.memoryUsage.rss() < kept_bytes + WORTH_IT_BYTES) return;
    // Of V8's kinds the only one that returns pages to the system.
    void collect({ type: 'major', execution: 'async', flavor: 'last-resort' })
      .then(mallocTrim)
      .then(() => {
        kept_bytes = process.memoryUsage.rss();
      });
  }, idle_ms / IDLE_SAMPLES).unref();
}

/** V8's own, which Node shows to contexts that are made while the flag is set. */
function exposedCollect(): Collect {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as Collect;
  setFlagsFromString('--no-expose-gc');
  return collect;
}
