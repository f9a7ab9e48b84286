import { decodeCursor, foreignCursor, type Position } from '#database';

/** Where a change stands among all of a project: one order for lists, and within it the order of each chain. */
export interface Place {
  timestamp: string;
  product_id: string;
  sequence: number;
}

const ID = /^([1-9]\d{0,14}) (.+)$/s;

/** Where a list goes on after a change. */
export function positionOf(place: Place): Position {
  return [place.timestamp, amongSimultaneous(place)];
}

/** What tells changes of the same time apart. */
export function amongSimultaneous({ product_id, sequence }: Omit<Place, 'timestamp'>): string {
  return `${sequence} ${product_id}`;
}

/** @throws Failure `invalid` at `/cursor` for one of another list */
export function placeOf(cursor: string): Place {
  const [timestamp, id] = decodeCursor(cursor, 'text');
  const match = ID.exec(id);
  if (!match) throw foreignCursor();
  return { timestamp, product_id: match[2]!, sequence: Number(match[1]) };
}
