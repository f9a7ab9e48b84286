import { Failure, parseTimestamp } from '#contracts';

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Where a walk continues: the sort key of the last row seen, newest or oldest first. */
export type Position = [at: string, id: string];

/** Opaque to callers. Holds no project: it is a place, the caller's rights are checked anew on each page. */
export function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws Failure `invalid` at `/cursor` for anything that `encodeCursor` did not write for rows with such ids */
export function decodeCursor(cursor: string, ids = UUID): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(position) && position.length === 2) {
      const [at, id] = position as unknown[];
      const isTime = typeof at === 'string' && parseTimestamp(at)?.toISOString() === at;
      if (isTime && typeof id === 'string' && ids.test(id)) return [at, id];
    }
  } catch {
    // Falls through to the refusal that every bad cursor gets.
  }
  throw Failure.invalid({ pointer: '/cursor', detail: 'must be the next_cursor of an earlier answer' });
}
