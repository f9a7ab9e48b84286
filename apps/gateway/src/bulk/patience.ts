import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '#contracts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

export function isTemporary(outcome: unknown): outcome is Failure {
  return outcome instanceof Failure && outcome.code === 'unavailable';
}

/** The pause before the next attempt: longer each time, until one succeeds. */
export class Pauses {
  private next_ms = FIRST_PAUSE_MS;

  take(): number {
    const pause_ms = this.next_ms;
    this.next_ms = Math.min(2 * pause_ms, LONGEST_PAUSE_MS);
    return pause_ms;
  }

  reset(): void {
    this.next_ms = FIRST_PAUSE_MS;
  }
}

/** Does `work` that is harmless when repeated, again and again while it is `unavailable` and patience lasts. */
export async function patiently<Result>(
  work: () => Result | Promise<Result>,
  patience_ms: number,
): Promise<Result> {
  const pauses = new Pauses();
  const until = performance.now() + patience_ms;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isTemporary(error) || performance.now() > until) throw error;
    }
    await sleep(pauses.take());
  }
}
