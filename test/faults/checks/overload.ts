import { REFUSAL } from '../../../bench/failures.js';
import { type Overload } from '../overload.js';
import { type Evidence } from './evidence.js';

const GOODPUT = 0.9;
const P99_MS = 1_000;
/** Below this, or above, it is not the machine that is slow. */
const COLLAPSE = 0.1;
const LONGEST_P99_MS = 10_000;
/** How far a process may be above what it had after the first seconds of the overload. */
const FLAT = 1.3;
const FLAT_MB = 48;

/** C1: each acknowledged write of an overload is in Postgres. */
export function lostInOverload({ overloads }: Evidence): string[] {
  return overloads.flatMap(({ lost }) => lost);
}

/** C7: whoever comes when there is too much to do is told to come back, and gets no other failure. */
export function unexplainedInOverload({ overloads }: Evidence): string[] {
  return overloads.flatMap(({ name, failures }) =>
    Object.entries(failures)
      .filter(([what]) => what !== REFUSAL)
      .map(([what, times]) => `${name}: ${what}, ${times} times`),
  );
}

/** Too much to do costs what is too much, and nothing of the rest: on a machine of its own. */
export function slowInOverload({ overloads }: Evidence): string[] {
  return overloads.flatMap((overload) => slowness(overload, GOODPUT, P99_MS));
}

/** However slow the machine is, it goes on, and needs no more memory. */
export function collapsedInOverload({ overloads }: Evidence): string[] {
  return overloads.flatMap((overload) => [
    ...slowness(overload, COLLAPSE, LONGEST_P99_MS),
    ...overload.memory
      .filter(({ before_mb, after_mb }) => after_mb > before_mb * FLAT + FLAT_MB)
      .map(
        ({ app, before_mb, after_mb }) =>
          `${overload.name}: ${app} ${before_mb.toFixed(0)} → ${after_mb.toFixed(0)} MB`,
      ),
  ]);
}

function slowness({ name, peak, goodput, p99_ms }: Overload, least: number, most_ms: number): string[] {
  return [
    ...(peak === 0 || goodput <= least * peak
      ? [`${name}: ${goodput.toFixed(0)}/s of ${peak.toFixed(0)}/s at the peak`]
      : []),
    ...(p99_ms > most_ms ? [`${name}: p99 of the accepted is ${p99_ms.toFixed(0)} ms`] : []),
  ];
}
