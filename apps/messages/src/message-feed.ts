import { type FeedSource } from '#feeds';
import { messageEntryJson } from './message-entry.js';
import { type StoredMessage } from './message-json.js';

type Row = Omit<StoredMessage, 'created_at'> & { created_at: Date };

/** Messages as they were sent; the mailboxes say who may see them. */
export const MESSAGE_FEED: FeedSource<Row> = {
  kind: 'message',
  table: 'messages.messages',
  columns: [
    ...['sender', 'recipient', 'sender_mailbox', 'recipient_mailbox'],
    ...['message', 'device_id', 'created_at'],
  ],
  recorded_at: 'created_at',
  entryJson: ({ created_at, ...row }) => messageEntryJson({ ...row, created_at: created_at.toISOString() }),
};
