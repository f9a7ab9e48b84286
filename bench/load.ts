import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Failures } from './failures.js';

/** Stands in a body for a whole number that no run has had before: so that nothing is written that stands already. */
export const FRESH = '1234567890123';

export interface LoadRequest {
  method: 'GET' | 'POST' | 'PATCH';
  path: string;
  headers: Record<string, string>;
  body?: string;
}

export interface LoadPlan {
  url: string;
  connections: number;
  warm_up_s: number;
  seconds: number;
  /** Requests a second, evenly paced; as many as there are answers unless told. */
  rate?: number;
  /** Sent over and over, each connection from a place of its own. */
  requests: LoadRequest[];
}

/** What came back within one stretch of time. */
export interface Answers {
  seconds: number;
  /** Milliseconds of each answer of 2xx. */
  latencies_ms: number[];
  /** Everything else: what never left, and what was still waited for at the end of a load by the clock, too. */
  failed: number;
  /** What came of those that left, unless the load itself cut them off at its end. */
  failures: Failures;
}

export interface LoadResult {
  /** Answers of 2xx a second. */
  rate: number;
  /** Answers of 2xx, those of the warm-up included. */
  acknowledged: number;
  /** Everything else, those of the warm-up included: other answers, cut connections, time-outs. */
  failed: number;
  p50_ms: number;
  p99_ms: number;
}

export interface AnsweredLoad extends LoadResult {
  failures: Failures;
}

/** Runs a plan in a process of its own, so that the load costs no contender its event loop. */
export async function runLoad(plan: LoadPlan): Promise<AnsweredLoad> {
  const child = fork(join(import.meta.dirname, 'load-generator.js'), { serialization: 'advanced' });
  const ended = once(child, 'exit');
  child.send(plan);
  const [result] = (await Promise.race([
    once(child, 'message'),
    ended.then(() => {
      throw new Error('The load generator ended without a result');
    }),
  ])) as [AnsweredLoad];
  child.disconnect();
  // The processor time of a child is its parent's from its end on.
  await ended;
  return result;
}
