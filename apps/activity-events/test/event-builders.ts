import { type NewEvent, type RecordedEvent } from '#contracts';
import { type SchemaUrls } from '#embedded';
import { queryDatabase } from '#testing';

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

/** Events of 250 KB from 2020 on, a minute apart; one character of theirs takes two units, and so does each in memory. */
export async function insertLarge({ owner }: SchemaUrls, project_id: string, count: number): Promise<void> {
  await queryDatabase(
    owner,
    `INSERT INTO activity_events.events
       (project_id, id, occurred_at, component, environment, email, message, data, created_at)
     SELECT $1, gen_random_uuid(), '2020-01-01T00:00:00Z'::timestamptz + n * interval '1 minute',
       'c', 'e', 'a@b.co', 'large ' || n, json_build_object('text', repeat('x', 250000) || '😀'), now()
     FROM generate_series(0, $2::int - 1) AS n`,
    [project_id, count],
  );
}
