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

/** As Postgres gives it. */
export type StoredRow = Omit<StoredMessage, 'created_at'> & { created_at: Date };

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

/** The message of a row, and whatever else is in it. */
export function storedOf<Row extends StoredRow>({
  created_at,
  ...row
}: Row): Omit<Row, 'created_at'> & { created_at: string } {
  return { ...row, created_at: created_at.toISOString() };
}
