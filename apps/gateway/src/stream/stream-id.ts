import { ENTRY_KINDS, Failure, FEED_START, isFeedEnd, type EntryKind, type FeedPosition } from '#contracts';

/** Where a reader stands: a position in the feed of each kind that it reads. */
export type Places = Partial<Record<EntryKind, FeedPosition>>;

const PLACE = /^(\w+):(\d{1,19}):([\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12})$/;
/** What a bigint of Postgres holds. */
const MAX_TRANSACTION_ID = 2n ** 63n - 1n;

/** A place in the feed of one kind, as it stands in an id. */
export function placeText(kind: EntryKind, [transaction_id, id]: FeedPosition): string {
  return `${kind}:${transaction_id}:${id}`;
}

/**
 * What a reader may be told of a position behind its last entry: the row there may be another's, whose id is not for it.
 * Where the transaction begins does as well, when that is behind its last entry, too: nothing between them is for it.
 */
export function placeWithoutRow(position: FeedPosition): FeedPosition {
  return isFeedEnd(position) ? position : [position[0], FEED_START[1]];
}

/** @throws Failure `invalid` for anything that is no id of ours */
export function placesOf(stream_id: string): Places {
  const places: Places = {};
  for (const text of stream_id.split(',')) {
    const [, name, transaction_id, id] = PLACE.exec(text) ?? [];
    const kind = ENTRY_KINDS.find((one) => one === name);
    if (!kind || places[kind] || BigInt(transaction_id!) > MAX_TRANSACTION_ID) throw notAnId();
    places[kind] = [transaction_id!, id!];
  }
  return places;
}

export function notAnId(): Failure {
  return Failure.invalid({ pointer: '/Last-Event-ID', detail: 'must be an id that this stream has sent' });
}
