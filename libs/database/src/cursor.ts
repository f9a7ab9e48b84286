import { Failure } from '#contracts';

/** Where a walk continues: the sort key of the last row seen, newest or oldest first. */
export type Position = [at: string, id: string];

const INSTANT = /^(?!0000)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** What Postgres can compare with a column of that type; anything else would fail the statement. */
const IS_ID = {
  uuid: (id: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id),
  text: (id: string) => id.isWellFormed() && !id.includes('\0'),
};

/** Opaque to callers. Holds no project: it is a place, the caller's rights are checked anew on each page. */
export function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/**
 * @param ids the type of the column that the ids of the walk are from
 * @throws Failure `invalid` at `/cursor` for anything that `encodeCursor` did not write
 */
export function decodeCursor(cursor: string, ids: keyof typeof IS_ID = 'uuid'): Position {
  try {
    const [at, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as Position;
    const isInstant = INSTANT.test(at) && new Date(at).toISOString() === at;
    const isPosition = isInstant && typeof id === 'string' && IS_ID[ids](id);
    if (isPosition && encodeCursor([at, id]) === cursor) return [at, id];
  } catch {
    // Falls through to the refusal that every bad cursor gets.
  }
  throw foreignCursor();
}

/** The refusal that every bad cursor gets, one of another list among them. */
export function foreignCursor(): Failure {
  return Failure.invalid({ pointer: '/cursor', detail: 'must be the next_cursor of an earlier answer' });
}
