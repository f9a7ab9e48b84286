import { type FirmwareEvent } from '#contracts';

/** A `FirmwareEvent` as Postgres gives it. */
export type StoredEvent = Omit<FirmwareEvent, 'timestamp' | 'created_at'> & {
  timestamp: Date;
  created_at: Date;
};

export const COLUMNS = ['id', 'device_id', 'firmware', 'status', 'timestamp', 'created_at'] as const;

export function eventOf({ timestamp, created_at, ...row }: StoredEvent): FirmwareEvent {
  return { ...row, timestamp: timestamp.toISOString(), created_at: created_at.toISOString() };
}
