import { DEFAULT_LIMIT } from '#contracts';
import { type FirstRows } from './database.js';

/** Rows of a page unless told, with the one that tells of a next page: read at once. */
export const DEFAULT_PAGE_ROWS = DEFAULT_LIMIT + 1;
/** Of more, few at first, as they may be large: what there is no room for is sent in vain. */
const ROWS_AT_FIRST = 32;
const ROWS_A_READ = 500;

/**
 * The rows of a list, as they are read for whoever goes through it.
 * @param expected how many are likely to be asked for
 * @param read at most `limit` rows behind `last`, without it the first of the list
 * @param at_once up to how many are expected to be read by one statement. Whoever walks through a list whose rows change
 *   their places gives more: what moves between two statements is passed by, or met twice
 */
export async function* walk<Row>(
  expected: number,
  read: (limit: number, last?: Row) => Promise<FirstRows<Row>>,
  at_once = DEFAULT_PAGE_ROWS,
): AsyncGenerator<Row[]> {
  let limit = expected <= at_once ? expected : ROWS_AT_FIRST;
  for (let last: Row | undefined; ;) {
    const result = await read(limit, last);
    yield result.rows;
    if (isLast(result, limit)) return;
    last = result.rows.at(-1);
    limit = Math.min(nextLimit(result), ROWS_A_READ);
  }
}

/** Whether nothing is behind a result that was asked for with this limit. */
export function isLast({ rows, isCut }: FirstRows<unknown>, limit: number): boolean {
  return !isCut && rows.length < limit;
}

/** How many rows to ask for behind a result: so that little is sent in vain, as many as there was room for, else twice as many. */
export function nextLimit({ rows, isCut }: FirstRows<unknown>): number {
  return isCut ? rows.length : 2 * rows.length;
}
