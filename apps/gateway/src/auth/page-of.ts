import { type EntityTarget, type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';
import { DEFAULT_LIMIT } from '#contracts';
import { type Database, decodeCursor, DEFAULT_PAGE_ROWS, encodeCursor, PAGE_BYTES } from '#database';
import { type ListQuery } from './resources.js';

type Confine<Row extends ObjectLiteral> = (query: SelectQueryBuilder<Row>) => SelectQueryBuilder<Row>;

/** A page of a table by (created_at, id), newest first unless told; its rows as `viewOf` shows them. */
export async function pageOf<Row extends ObjectLiteral & { created_at: Date; id: string }, View>(
  database: Database,
  entity: EntityTarget<Row>,
  { order = 'desc', limit = DEFAULT_LIMIT, cursor }: ListQuery,
  confine: Confine<Row>,
  viewOf: (row: Row) => View,
): Promise<{ views: View[]; next_cursor?: string }> {
  const views: View[] = [];
  let bytes = 0;
  let last: Row | undefined;
  for await (const row of walk(database, entity, { order, limit: limit + 1, cursor }, confine)) {
    const view = viewOf(row);
    const size = Buffer.byteLength(JSON.stringify(view));
    if (views.length === limit || (last && bytes + size > PAGE_BYTES)) {
      return { views, next_cursor: cursorAt(last!) };
    }
    views.push(view);
    bytes += size;
    last = row;
  }
  return { views };
}

/** At most `limit` rows by (created_at, id) from `cursor` on: devices with as many labels as they may have are 7 MB a read. */
async function* walk<Row extends ObjectLiteral & { created_at: Date; id: string }>(
  database: Database,
  entity: EntityTarget<Row>,
  { order, limit, cursor }: ListQuery & { limit: number },
  confine: Confine<Row>,
): AsyncGenerator<Row> {
  const direction = order === 'asc' ? 'ASC' : 'DESC';
  for (let left = limit, after = cursor; left > 0; left -= DEFAULT_PAGE_ROWS) {
    const rows = await database.read((manager) => {
      const query = confine(manager.createQueryBuilder(entity, 'row'));
      if (after !== undefined) {
        const { type } = manager.dataSource.getMetadata(entity).findColumnWithPropertyName('id')!;
        const [at, id] = decodeCursor(after, type as 'uuid' | 'text');
        query.andWhere(`(row.created_at, row.id) ${order === 'asc' ? '>' : '<'} (:at, :id)`, { at, id });
      }
      return query
        .orderBy('row.created_at', direction)
        .addOrderBy('row.id', direction)
        .limit(Math.min(left, DEFAULT_PAGE_ROWS))
        .getMany();
    });
    yield* rows;
    const last = rows.at(-1);
    if (!last || rows.length < DEFAULT_PAGE_ROWS) return;
    after = cursorAt(last);
  }
}

function cursorAt({ created_at, id }: { created_at: Date; id: string }): string {
  return encodeCursor([created_at.toISOString(), id]);
}
