/** A message as it is kept; times in RFC 3339 UTC. */
export interface StoredMessage {
  id: string;
  sender: string;
  recipient: string;
  sender_mailbox: string;
  recipient_mailbox: string;
  message: string;
  device_id: string | null;
  created_at: string;
}

export const COLUMNS = [
  'id',
  'sender',
  'recipient',
  'sender_mailbox',
  'recipient_mailbox',
  'message',
  'device_id',
  'created_at',
] as const;
