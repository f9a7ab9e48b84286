/** What came instead of 2xx, and how often. */
export type Failures = Record<string, number>;

/** The connection broke, or nothing came. */
export const NO_ANSWER = 'no answer';
/** What a server says that has too much to do. */
export const REFUSAL = '503 with Retry-After';

export function failureOf(status: number, saysWhen: boolean): string {
  return saysWhen ? `${status} with Retry-After` : String(status);
}

export function add(failures: Failures, what: string, times = 1): void {
  failures[what] = (failures[what] ?? 0) + times;
}

export function timesOf(failures: Failures): number {
  return Object.values(failures).reduce((sum, times) => sum + times, 0);
}

export function merged(all: readonly Failures[]): Failures {
  const together: Failures = {};
  for (const failures of all)
    for (const [what, times] of Object.entries(failures)) add(together, what, times);
  return together;
}
