import { Client } from 'pg';
import { eventually, queryDatabase } from '#testing';
import { type Fault } from '../fault.js';

const RECOVERY_MS = 10_000;
/** More than Postgres keeps for later. */
const FILES = 20;

/** No room left for Postgres: neither for rows nor for its next file of WAL. */
export function volumeFull(hold_ms: number): Fault {
  return {
    row: 'Postgres volume full',
    name: `Postgres volume full for ${hold_ms} ms`,
    hold_ms,
    needsVolumes: true,
    async begin({ rig, tell }) {
      const empty = await rig.volumes!.postgres.fill();
      await eventually(() => useUpWal(rig.postgres.running.url));
      return {
        prevents: () => true,
        async end() {
          await empty();
          if (rig.postgres.isAlive) {
            if (await answers(rig.postgres.running.url)) return;
            tell('the recovery of Postgres has died, and the server waits for it: it is started again');
          }
          await rig.postgres.restart();
        },
      };
    },
  };
}

function answers(url: string): Promise<boolean> {
  return eventually(() => queryDatabase(url, 'SELECT'), RECOVERY_MS).then(
    () => true,
    () => false,
  );
}

/**
 * A new file of WAL is wanted at once, not after 16 MB. That Postgres refuses, or dies of it, is the fault. Resolves when it
 * does: what it wrote ends with a file then, so that without another nobody commits.
 */
async function useUpWal(url: string): Promise<void> {
  const client = new Client({ connectionString: url, query_timeout: 5_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    for (let file = 0; file < FILES; file += 1) {
      await client.query(`SELECT pg_logical_emit_message(false, 'faults', 'next file')`);
      await client.query('SELECT pg_switch_wal()');
    }
  } catch (error) {
    // A message from Postgres or a lost connection; anything else is a mistake of the test's own, and who was slow may go on.
    if (error instanceof Error && error.message !== 'Query read timeout') return;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
  throw new Error(`Postgres had room for ${FILES} more files of WAL on a full volume`);
}
