import { setFlagsFromString } from 'node:v8';

const GROWTH_PERCENT = 100;

/**
 * A heap grows to twice what was alive at its last collection, then it is collected again. V8's own rule is up to four times,
 * and differs with the machine's speed, so that a process under a load that stays the same would need more and more for a
 * minute; or, after an idle time, 1.3 times, and would collect five times a second.
 */
export function boundHeapGrowth(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
