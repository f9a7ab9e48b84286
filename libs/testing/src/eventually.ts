import { setTimeout } from 'node:timers/promises';

const SHORTEST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 200;

/** Resolves with what `check` returns as soon as it neither throws nor returns false; throws its last error after `timeout_ms`. */
export async function eventually<T>(check: () => T | Promise<T>, timeout_ms = 30_000): Promise<T> {
  const deadline = performance.now() + timeout_ms;
  for (;;) {
    const asked = performance.now();
    try {
      const result = await check();
      if (result !== false) return result;
      if (performance.now() > deadline) throw new Error(`still false after ${timeout_ms} ms`);
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
    // What is long to ask is asked less often: what it waits for may run in this very process.
    await setTimeout(Math.min(Math.max(SHORTEST_PAUSE_MS, performance.now() - asked), LONGEST_PAUSE_MS));
  }
}
