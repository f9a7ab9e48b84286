import { decodeCursor, encodeCursor, foreignCursor, type Position } from '#database';

/** What is left of a walk: behind the last message that was seen, and up to where it ends, if it was bounded. */
export interface WalkLeft {
  from: Position;
  to?: Position;
}

/** Where a walk goes on after a message. Its end travels along: the message that marks it may be deleted meanwhile. */
export function placeAfter({ created_at, id }: { created_at: string; id: string }, to?: Position): Position {
  return [created_at, to ? `${id} ${encodeCursor(to)}` : id];
}

/** @throws Failure `invalid` at `/cursor` for anything but a cursor of such a place */
export function walkLeft(cursor: string): WalkLeft {
  const [at, place] = decodeCursor(cursor, 'text');
  const [id, to, ...more] = place.split(' ');
  if (more.length > 0) throw foreignCursor();
  return { from: decodeCursor(encodeCursor([at, id!])), to: to === undefined ? undefined : decodeCursor(to) };
}
