import { type FirmwareEvent } from '#contracts';
import { type FeedSource } from '#feeds';
import { COLUMNS } from './event-columns.js';
import { firmwareEntryJson } from './firmware-entry.js';

/** What devices say about their firmware, in the order in which it was taken. */
export const FIRMWARE_FEED: FeedSource<FirmwareEvent> = {
  kind: 'firmware',
  table: 'firmware.firmware_events',
  columns: COLUMNS.filter((column) => column !== 'id'),
  recorded_at: 'created_at',
  entryJson: firmwareEntryJson,
};
