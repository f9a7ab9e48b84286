/** An event as it is kept: `data` as JSON text, times in RFC 3339 UTC. */
export interface StoredEvent {
  id: string;
  component: string;
  environment: string;
  email: string;
  message: string;
  data: string;
  device_id: string | null;
  occurred_at: string;
  created_at: string;
}

export const COLUMNS = [
  'id',
  'component',
  'environment',
  'email',
  'message',
  'data',
  'device_id',
  'occurred_at',
  'created_at',
] as const;

/** The columns as they are read. */
export const READ_COLUMNS = COLUMNS.map((column) => (column === 'data' ? 'data::text' : column));
