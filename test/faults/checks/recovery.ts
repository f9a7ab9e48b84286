import { type Evidence } from './evidence.js';

const RECOVERY_MS = 30_000;

/** C5: after a fault every process is ready again, every kind of write is acknowledged, and what was committed is told. */
export function unrecovered({ struck }: Evidence): string[] {
  return struck.flatMap(({ name, recovered_ms, caught_up_ms }) => {
    if (recovered_ms === undefined) return [`no recovery from: ${name}`];
    return caught_up_ms === undefined ? [`the feeds never caught up after: ${name}`] : [];
  });
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
  const recoveries = struck.map(({ name, recovered_ms, caught_up_ms = recovered_ms }) => ({
    name,
    took_ms: caught_up_ms,
  }));
  return [...recoveries, { name: 'the last write', took_ms: settled.took_ms }]
    .filter(({ took_ms = 0 }) => took_ms > RECOVERY_MS)
    .map(({ name, took_ms }) => `${took_ms} ms after: ${name}`);
}

/** A key that is revoked opens nothing from the next request on, on any gateway, whatever befell it before. */
export function breached({ struck }: Evidence): string[] {
  return struck.flatMap(({ name, breaches }) => breaches.map((breach) => `after ${name}: ${breach}`));
}
