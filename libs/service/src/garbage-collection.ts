import { setFlagsFromString } from 'node:v8';

const GROWTH_PERCENT = 100;

/**
 * How V8 collects the garbage of an app that answers requests, as long as it runs.
 *
 * A heap grows to twice what was alive at its last collection, then it is collected again. V8's own rule is up to four times,
 * and differs with the machine's speed, so that a process under a load that stays the same would need more and more for a
 * minute; or, after an idle time, 1.3 times, and would collect five times a second.
 *
 * Every object begins in the young generation. V8 would put those into the old one from their beginning whose like have
 * lived long when an app started or was slow, and whatever these point to grows old with them: in every second start or so
 * all that a request needs, as long as the process runs.
 *
 * Buffers count like objects. By V8's own rule each 64 MB of them begin a collection of the whole heap, however little of it is
 * garbage: three a second in a gateway that passes on pages.
 */
export function tuneGarbageCollection(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
