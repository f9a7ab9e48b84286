import { type FeedSource } from '#feeds';
import { firmwareEntryJson } from './firmware-entry.js';
import { COLUMNS, eventOf, type StoredEvent } from './stored-event.js';

/** What devices say about their firmware, in the order in which it was taken. */
export const FIRMWARE_FEED: FeedSource<StoredEvent> = {
  kind: 'firmware',
  table: 'firmware.firmware_events',
  columns: COLUMNS.filter((column) => column !== 'id'),
  recorded_at: 'created_at',
  entryJson: (row) => firmwareEntryJson(eventOf(row)),
};
