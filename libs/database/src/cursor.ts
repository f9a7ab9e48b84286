import { Failure } from '#contracts';

/** Where a walk continues: the sort key of the last row seen, newest or oldest first. */
export type Position = [at: string, id: string];

/** Opaque to callers. Holds no project: it is a place, the caller's rights are checked anew on each page. */
export function encodeCursor(position: Position): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws Failure `invalid` at `/cursor` for anything that `encodeCursor` did not write */
export function decodeCursor(cursor: string): Position {
  try {
    const position: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(position) && position.length === 2) {
      const [at, id] = position as unknown[];
      if (typeof at === 'string' && typeof id === 'string' && new Date(at).toISOString() === at)
        return [at, id];
    }
  } catch {
    // Falls through to the refusal that every bad cursor gets.
  }
  throw Failure.invalid({ pointer: '/cursor', detail: 'must be the next_cursor of an earlier answer' });
}
