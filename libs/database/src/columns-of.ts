/** An array for each column, as `unnest` takes them. */
export function columnsOf<Row>(rows: Row[], columns: readonly (keyof Row)[]): unknown[][] {
  return columns.map((column) => rows.map((row) => row[column]));
}
