import { type FeedSource } from '#feeds';
import { messageEntryJson } from './message-entry.js';
import { COLUMNS, type StoredMessage } from './stored-message.js';

/** Messages as they were sent; the mailboxes say who may see them. */
export const MESSAGE_FEED: FeedSource<StoredMessage> = {
  kind: 'message',
  table: 'messages.messages',
  columns: COLUMNS.filter((column) => column !== 'id'),
  recorded_at: 'created_at',
  entryJson: messageEntryJson,
};
