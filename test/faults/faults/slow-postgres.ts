import { setTimeout as pause } from 'node:timers/promises';
import { type Fault } from '../fault.js';

const STANDING_MS = 150;
const RUNNING_MS = 50;

/** Postgres that gets a quarter of its time: it stands still for 150 ms of each 200. */
export function slowPostgres(hold_ms: number): Fault {
  return {
    row: 'slow Postgres, lock on a hot row',
    name: `Postgres at a quarter of its speed for ${hold_ms} ms`,
    hold_ms,
    async begin({ rig }) {
      const over = new AbortController();
      const slowing = (async () => {
        while (!over.signal.aborted) {
          await rig.postgres.freeze();
          await pause(STANDING_MS);
          await rig.postgres.thaw();
          await pause(RUNNING_MS);
        }
      })();
      return {
        async end() {
          over.abort();
          await slowing;
        },
      };
    },
  };
}
