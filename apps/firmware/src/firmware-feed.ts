import { type FeedSource } from '#feeds';
import { type FirmwareEvent } from '#contracts';
import { firmwareEntryJson } from './firmware-entry.js';

type Row = Omit<FirmwareEvent, 'timestamp' | 'created_at'> & { timestamp: Date; created_at: Date };

/** What devices say about their firmware, in the order in which it was taken. */
export const FIRMWARE_FEED: FeedSource<Row> = {
  kind: 'firmware',
  table: 'firmware.firmware_events',
  columns: ['device_id', 'firmware', 'status', '"timestamp"', 'created_at'],
  recorded_at: 'created_at',
  entryJson: ({ timestamp, created_at, ...row }) =>
    firmwareEntryJson({ ...row, timestamp: timestamp.toISOString(), created_at: created_at.toISOString() }),
};
