import { type Evidence } from './evidence.js';

const RECOVERY_MS = 30_000;

/** C5: after a fault every process is ready again and every kind of write is acknowledged. */
export function unrecovered({ struck }: Evidence): string[] {
  return struck
    .filter(({ recovered_ms }) => recovered_ms === undefined)
    .map(({ name }) => `no recovery from: ${name}`);
}

/** C5: every write is acknowledged in the end: whoever writes is more patient than any fault is long. */
export function givenUp({ history }: Evidence): string[] {
  return history.sent
    .filter(({ isGivenUp }) => isGivenUp)
    .map(({ write }) => `${write.kind} ${write.trace} of ${write.project_id} was given up`);
}

/** C5: all that is committed has arrived wherever it is told, and everything stands ready. */
export function unsettled({ settled }: Evidence): string[] {
  return settled.missing;
}

/** C5: each within 30 s. */
export function slow({ struck, settled }: Evidence): string[] {
  return [...struck, { name: 'the last write', recovered_ms: settled.took_ms }]
    .filter(({ recovered_ms = 0 }) => recovered_ms > RECOVERY_MS)
    .map(({ name, recovered_ms }) => `${recovered_ms} ms after: ${name}`);
}

/** A key that is revoked opens nothing from the next request on, on any gateway, whatever befell it before. */
export function breached({ struck }: Evidence): string[] {
  return struck.flatMap(({ name, breaches }) => breaches.map((breach) => `after ${name}: ${breach}`));
}
