import { type MessageEntry } from '#contracts';
import { type StoredMessage } from './stored-message.js';

/** A `MessageEntry`: as every reader of a message sees it, without mailboxes. */
export function messageEntryJson(stored: StoredMessage): string {
  const { id, created_at, device_id, sender, recipient, message } = stored;
  const entry: MessageEntry = { kind: 'message', id, at: created_at, device_id, sender, recipient, message };
  return JSON.stringify(entry);
}
