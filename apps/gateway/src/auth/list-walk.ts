import { DEFAULT_LIMIT } from '#contracts';
import {
  beyond,
  decodeCursor,
  walk,
  whereAll,
  type Condition,
  type Database,
  type Position,
} from '#database';
import { type ListQuery } from './resources.js';

/** What every row of a list has: its place there. */
interface Placed {
  created_at: string;
  id: string;
}

/**
 * The rows of a list as it shows them, by (created_at, id), newest first unless told.
 * @param select what to read of which table, without its conditions
 * @param ids the type of the table's ids
 */
export function walkList<Row extends Placed>(
  database: Database,
  select: string,
  conditions: Condition[],
  { order = 'desc', limit = DEFAULT_LIMIT, cursor }: ListQuery,
  ids?: 'uuid' | 'text',
): AsyncGenerator<Row[]> {
  const after = cursor === undefined ? undefined : decodeCursor(cursor, ids);
  return walk<Row>(limit + 1, (limit, last) => {
    const place = last ? placeOf(last) : after;
    const { where, values } = whereAll([...conditions, beyond(['created_at', 'id'], order, place)]);
    const sql = `${select} WHERE ${where} ORDER BY created_at ${order}, id ${order} LIMIT $${values.push(limit)}`;
    return database.firstRows(sql, values);
  });
}

export function placeOf({ created_at, id }: Placed): Position {
  return [created_at, id];
}
