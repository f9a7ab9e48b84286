import { type EventEntry } from '#contracts';
import { type StoredEvent } from './stored-event.js';

/** An `EventEntry`. `data` is JSON text already, and goes out as it is kept. */
export function eventEntryJson(event: StoredEvent): string {
  const { id, occurred_at, device_id, component, environment, email, message, data, created_at } = event;
  const entry: Omit<EventEntry, 'data'> = {
    ...{ kind: 'event', id, at: occurred_at, device_id },
    ...{ component, environment, email, message, created_at },
  };
  return `${JSON.stringify(entry).slice(0, -1)},"data":${data}}`;
}
