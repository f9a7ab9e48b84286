import { type NewEvent, type RecordedEvent } from '#contracts';

/** A valid event, with whatever a test cares about. */
export function anEvent(rest: Partial<NewEvent> = {}): NewEvent {
  return {
    component: 'billing',
    environment: 'test',
    email: 'ada@example.com',
    message: 'Invoice 42 was paid',
    data: { invoice: 42 },
    ...rest,
  };
}

/** By (occurred_at, id), oldest first: the order of every list of events. */
export function oldestFirst(one: RecordedEvent, other: RecordedEvent): number {
  const [a, b] = [one.occurred_at + one.id, other.occurred_at + other.id];
  return a < b ? -1 : a > b ? 1 : 0;
}
