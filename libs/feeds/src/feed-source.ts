import { type FeedHead, type FeedKind } from '#contracts';
import { type FeedRow, type FeedTable } from '#database';
import { type FeedEntry } from './feed-batch.js';

/** The table that the feed of a kind is read from, and how a row becomes an entry. */
export interface FeedSource<Row extends object> extends FeedTable {
  kind: FeedKind;
  /** A `TimelineEntry` of the kind. */
  entryJson(row: Row & FeedRow): string;
}

/** A row as it travels. Its device and mailboxes, where it has some, go into the head. */
export function entryOf<Row extends object>(source: FeedSource<Row>, row: Row & FeedRow): FeedEntry {
  const { transaction_id, id, project_id } = row;
  const { device_id = null, sender_mailbox, recipient_mailbox } = row as Partial<FeedHead>;
  const head: FeedHead = { project_id, position: [transaction_id, id], id, device_id };
  if (sender_mailbox !== undefined) Object.assign(head, { sender_mailbox, recipient_mailbox });
  return { head, body: source.entryJson(row) };
}
