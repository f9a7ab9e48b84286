import { type EntityTarget, type ObjectLiteral, type SelectQueryBuilder } from 'typeorm';
import { type Database, decodeCursor, encodeCursor } from '#database';
import { type ListQuery } from './resources.js';

const DEFAULT_LIMIT = 100;

/** A page of a table by (created_at, id), newest first unless told. */
export async function pageOf<Row extends ObjectLiteral & { created_at: Date; id: string }>(
  database: Database,
  entity: EntityTarget<Row>,
  { order = 'desc', limit = DEFAULT_LIMIT, cursor }: ListQuery,
  confine: (query: SelectQueryBuilder<Row>) => SelectQueryBuilder<Row>,
): Promise<{ rows: Row[]; next_cursor?: string }> {
  const found = await database.read((manager) => {
    const query = confine(manager.createQueryBuilder(entity, 'row'));
    if (cursor !== undefined) {
      const { type } = manager.dataSource.getMetadata(entity).findColumnWithPropertyName('id')!;
      const [at, id] = decodeCursor(cursor, type as 'uuid' | 'text');
      query.andWhere(`(row.created_at, row.id) ${order === 'asc' ? '>' : '<'} (:at, :id)`, { at, id });
    }
    const direction = order === 'asc' ? 'ASC' : 'DESC';
    return query
      .orderBy('row.created_at', direction)
      .addOrderBy('row.id', direction)
      .limit(limit + 1)
      .getMany();
  });
  const rows = found.slice(0, limit);
  const last = rows.at(-1);
  return {
    rows,
    next_cursor:
      found.length > limit && last ? encodeCursor([last.created_at.toISOString(), last.id]) : undefined,
  };
}
