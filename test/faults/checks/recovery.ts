import { type Evidence } from './evidence.js';

/** C5: within 30 s of a fault's end every process is ready and every kind of write is acknowledged. */
export function unrecovered({ struck }: Evidence): string[] {
  return struck
    .filter(({ recovered_ms }) => recovered_ms === undefined)
    .map(({ name }) => `no recovery from: ${name}`);
}

/** A key that is revoked opens nothing from the next request on, on any gateway, whatever befell it before. */
export function breached({ struck }: Evidence): string[] {
  return struck.flatMap(({ name, breaches }) => breaches.map((breach) => `after ${name}: ${breach}`));
}
