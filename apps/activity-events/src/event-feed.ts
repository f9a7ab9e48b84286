import { type FeedSource } from '#feeds';
import { eventEntryJson } from './event-entry.js';
import { READ_COLUMNS, type StoredEvent } from './stored-event.js';

/** Events as they were recorded, whenever they occurred. */
export const EVENT_FEED: FeedSource<StoredEvent> = {
  kind: 'event',
  table: 'activity_events.events',
  columns: READ_COLUMNS.filter((column) => column !== 'id'),
  recorded_at: 'created_at',
  entryJson: eventEntryJson,
};
