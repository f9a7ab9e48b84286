import { type EntityManager } from 'typeorm';

/**
 * Waits for this transaction's turn at each of these names, which it then holds until it ends: of the transactions
 * that name one thing, one at a time goes on. Names are of the whole database, so they begin with their schema's.
 * Turns are taken in one order everywhere, so that transactions never deadlock.
 *
 * Comes before a transaction writes, or locks a row: either gives it its number, and whoever has the next turn
 * is to have a higher one. So a feed in the order of these numbers has all that happens to one thing in its order.
 */
export async function takeTurns(manager: EntityManager, names: string[]): Promise<void> {
  await manager.query(
    `SELECT pg_advisory_xact_lock(turn) FROM (
       SELECT DISTINCT hashtextextended(name, 0) AS turn FROM unnest($1::text[]) AS name ORDER BY turn
     ) AS turns`,
    [names],
  );
}
