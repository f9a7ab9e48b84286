import { ENTRY_KINDS, parseMoment, type AnyEntry, type EntryKind, type EntrySlice } from '#contracts';
import { decodeCursor, encodeCursor, foreignCursor } from '#database';

export type Order = 'asc' | 'desc';

/** Where an entry stands in the one order of all kinds: by time, then by kind, then as its service says. */
export interface Place {
  at: string;
  kind: EntryKind;
  /** Among entries of the same time and kind. */
  place: string;
}

export type KindSlice = EntrySlice & { kind: EntryKind };

/** Of a time range: from inclusive, to exclusive. */
interface Range {
  from?: string;
  to?: string;
}

/** The last instant that RFC 3339 can write. */
const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

export function timelineCursor({ at, kind, place }: Place): string {
  return encodeCursor([at, `${kind} ${place}`]);
}

/** @throws Failure `invalid` at `/cursor` for anything that `timelineCursor` did not write */
export function timelinePlace(cursor: string): Place {
  const [at, rest] = decodeCursor(cursor, 'text');
  const [, name, place] = /^(\w+) (.+)$/s.exec(rest) ?? [];
  const kind = ENTRY_KINDS.find((one) => one === name);
  if (kind) return { at, kind, place: place! };
  throw foreignCursor();
}

/**
 * What to ask the service of a kind for, so that nothing before or at `after` comes again and nothing behind it is
 * left out; undefined when there can be nothing.
 */
export function searchOf(
  kind: EntryKind,
  { from, to, order }: Range & { order: Order },
  after?: Place,
): (Range & { cursor?: string }) | undefined {
  let first = from === undefined ? -Infinity : parseMoment(from)!.getTime();
  let end = to === undefined ? Infinity : parseMoment(to)!.getTime();
  if (after) {
    const at = Date.parse(after.at);
    if (order === 'asc') first = Math.max(first, kind < after.kind ? at + 1 : at);
    else end = Math.min(end, kind > after.kind ? at : at + 1);
  }
  if (first >= end || first > LAST_MS) return undefined;
  return {
    from: first === -Infinity ? undefined : new Date(first).toISOString(),
    to: end > LAST_MS ? undefined : new Date(end).toISOString(),
    cursor: kind === after?.kind ? encodeCursor([after.at, after.place]) : undefined,
  };
}

/**
 * The first entries of all slices in one order: at most `limit`, and none behind the end of a slice that is not the
 * end of its kind, as nobody knows what comes there.
 * @returns `last`: the place of the last of them, when there are more behind it
 */
export function merge(
  slices: KindSlice[],
  order: Order,
  limit: number,
): { entries: AnyEntry[]; last?: Place } {
  const heads = slices.map((slice) => ({ ...slice, next: 0 }));
  const entries: AnyEntry[] = [];
  let last: Place | undefined;
  const isEmpty = ({ entries, next }: (typeof heads)[number]): boolean => next === entries.length;
  while (entries.length < limit && !heads.some((head) => isEmpty(head) && head.has_more)) {
    const [first] = heads
      .filter((head) => !isEmpty(head))
      .sort((one, other) => compare(one.entries[one.next]!, other.entries[other.next]!, order));
    if (!first) return { entries };
    const entry = first.entries[first.next]!;
    entries.push(entry);
    last = { at: entry.at, kind: first.kind, place: first.places[first.next]! };
    first.next += 1;
  }
  return heads.every((head) => isEmpty(head) && !head.has_more) ? { entries } : { entries, last };
}

/** Entries of different kinds; times are all written in one width. */
function compare(one: AnyEntry, other: AnyEntry, order: Order): number {
  const [first, second] = one.at === other.at ? [one.kind, other.kind] : [one.at, other.at];
  const ascending = first < second ? -1 : 1;
  return order === 'asc' ? ascending : -ascending;
}
