import { type Client } from 'pg';
import { withClient } from '../bench.js';
import { tidy } from '../writers.js';
import { dayOfEvents, type DayOptions, type GeneratedEvent } from '../event-generator.js';

/** The table that events are in. */
export const EVENTS = 'activity_events.events';

const BATCH = 5_000;
const INSERT = `
  INSERT INTO activity_events.events
    (project_id, id, component, environment, email, message, data, device_id, occurred_at, created_at)
  SELECT $1::uuid, row.*, row.occurred_at
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[], $8::text[], $9::timestamptz[])
    AS row (id, component, environment, email, message, data, device_id, occurred_at)`;

/** Puts a day of events straight into the table, past the product: what is measured is what comes after. */
export async function loadEvents(admin_url: string, project_id: string, day: DayOptions): Promise<void> {
  await withClient(admin_url, async (client) => {
    // Preparation alone may be forgotten by a crash, and sorts its words for the index in larger portions.
    await client.query(
      `SET synchronous_commit = off; SET gin_pending_list_limit = '64MB'; SET work_mem = '64MB'`,
    );
    let batch: GeneratedEvent[] = [];
    for (const event of dayOfEvents(day)) {
      if (batch.push(event) < BATCH) continue;
      await insert(client, project_id, batch);
      batch = [];
    }
    await insert(client, project_id, batch);
  });
  await tidy(admin_url, EVENTS);
}

async function insert(client: Client, project_id: string, events: GeneratedEvent[]): Promise<void> {
  const column = <T>(of: (event: GeneratedEvent) => T): T[] => events.map(of);
  await client.query(INSERT, [
    project_id,
    column(({ id }) => id),
    column(({ component }) => component),
    column(({ environment }) => environment),
    column(({ email }) => email),
    column(({ message }) => message),
    column(({ data }) => JSON.stringify(data)),
    column(({ device_id }) => device_id ?? null),
    column(({ occurred_at }) => occurred_at),
  ]);
}

/** Today, UTC: the day whose partition writes go to. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
