/** A condition of SQL with a `?` where its value goes. Without a value it is none; with null it has no `?`. */
export type Condition = [sql: string, value: unknown];

/**
 * All of these that have a value, as one condition, with their values from `$1` on.
 * @returns `name`: equal for conditions of the same kind, whatever their values, as names of prepared statements are to be
 */
export function whereAll(conditions: Condition[]): { where: string; values: unknown[]; name: string } {
  const values: unknown[] = [];
  const texts: string[] = [];
  for (const [sql, value] of conditions) {
    if (value === undefined) continue;
    if (value !== null) values.push(value);
    texts.push(sql.replace('?', `$${values.length}`));
  }
  const name = conditions.map(([, value]) => (value === undefined ? '0' : '1')).join('');
  return { where: texts.join(' AND '), values, name };
}
