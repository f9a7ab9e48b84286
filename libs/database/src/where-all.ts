/**
 * A condition of SQL with a `?` where each of its values goes. Without a first value it is none; with null it has no `?`.
 */
export type Condition = [sql: string, ...values: unknown[]];

/** What lies beyond a place in the order of these columns; without a place everything does. */
export function beyond(
  columns: readonly string[],
  order: 'asc' | 'desc',
  place: readonly unknown[] = [],
): Condition {
  const side = order === 'asc' ? '>' : '<';
  return [`(${columns.join(', ')}) ${side} (${columns.map(() => '?').join(', ')})`, ...place];
}

/**
 * All of these that have a value, as one condition, with their values from `$1` on.
 * @returns `name`: equal for conditions of the same kind, whatever their values, as names of prepared statements are to be
 */
export function whereAll(conditions: Condition[]): { where: string; values: unknown[]; name: string } {
  const isGiven = ([, first]: Condition): boolean => first !== undefined;
  const given = conditions.filter(isGiven);
  let parameter = 0;
  return {
    where: given.map(([sql]) => sql.replaceAll('?', () => `$${++parameter}`)).join(' AND '),
    values: given.flatMap(([, ...values]) => values.filter((value) => value !== null)),
    name: conditions.map((condition) => Number(isGiven(condition))).join(''),
  };
}
