import { type FeedSource } from '#feeds';
import { type StoredEvent } from './activity-events.repository.js';
import { eventEntryJson } from './event-entry.js';

type Row = Omit<StoredEvent, 'occurred_at' | 'created_at'> & { occurred_at: Date; created_at: Date };

/** Events as they were recorded, whenever they occurred. */
export const EVENT_FEED: FeedSource<Row> = {
  kind: 'event',
  table: 'activity_events.events',
  columns: [
    ...['component', 'environment', 'email', 'message', 'data::text', 'device_id'],
    ...['occurred_at', 'created_at'],
  ],
  recorded_at: 'created_at',
  entryJson: ({ occurred_at, created_at, ...row }) =>
    eventEntryJson({
      ...row,
      occurred_at: occurred_at.toISOString(),
      created_at: created_at.toISOString(),
    }),
};
