/** Processor time in µs by process. */
export type CpuTimes = Map<string, number>;

/** Whoever asks and counts: no part of what it takes to answer. */
export const LOAD_GENERATOR = 'load generator';

/** What was used between two looks. */
export function usedBetween(before: CpuTimes, after: CpuTimes): CpuTimes {
  // A process that has died and come again in between begins at nothing.
  return new Map([...after].map(([name, time]) => [name, Math.max(0, time - (before.get(name) ?? 0))]));
}

export function sumOf(parts: CpuTimes[]): CpuTimes {
  const sum: CpuTimes = new Map();
  for (const [name, time] of parts.flatMap((part) => [...part])) sum.set(name, (sum.get(name) ?? 0) + time);
  return sum;
}

/** Everything that it took to answer, Postgres and NATS included. */
export function together(times: CpuTimes): number {
  return [...times].reduce((sum, [name, time]) => sum + (name === LOAD_GENERATOR ? 0 : time), 0);
}
