import { type Conversation, type SentMessage } from '#contracts';
import { type StoredMessage } from './stored-message.js';

export interface StoredConversation extends StoredMessage {
  peer_address: string;
  unread: number;
}

/** What everyone sees of it: no mailboxes. */
function viewOf({ id, sender, recipient, message, device_id, created_at }: StoredMessage): SentMessage {
  return { id, sender, recipient, message, device_id: device_id ?? undefined, created_at };
}

export function messageJson(message: StoredMessage): string {
  return JSON.stringify(viewOf(message));
}

export function conversationJson({ peer_address, unread, ...last }: StoredConversation): string {
  return JSON.stringify({ peer: peer_address, last_message: viewOf(last), unread } satisfies Conversation);
}
