import { copyIn, copyLine } from '../copy-in.js';
import { dayOfEvents, type DayOptions } from '../event-generator.js';
import { BEFORE_FEEDS, fillTables } from '../fill-tables.js';

/** The table that events are in. */
export const EVENTS = 'activity_events.events';
/** Those that were posted: the audit tells of devices that are registered by the way. */
export const POSTED_EVENTS = `${EVENTS} WHERE component <> 'auth'`;

/** A part of exactly so many messages in every project that is filled, a small or a large one. */
export const RARE_PART = 'fault 0xf00d5';
const RARE_MESSAGES = 100;

const BATCH = 10_000;
const COLUMNS =
  'project_id, id, component, environment, email, message, data, device_id, occurred_at, created_at, transaction_id';

/** Puts a day of events straight into the table, past the product: what is measured is what comes after. */
export async function loadEvents(admin_url: string, project_id: string, day: DayOptions): Promise<void> {
  await fillTables(admin_url, [EVENTS], async (client) => {
    const between = Math.ceil(day.count / RARE_MESSAGES);
    let number = 0;
    const lines: string[] = [];
    const copy = (): Promise<void> =>
      copyIn(client, `${EVENTS} (${COLUMNS})`, [Buffer.from(lines.splice(0).join(''))]);
    for (const { component, environment, email, device_id = null, occurred_at, ...event } of dayOfEvents(
      day,
    )) {
      const message = number++ % between === 0 ? `${event.message}, ${RARE_PART}` : event.message;
      const said = [component, environment, email, message, JSON.stringify(event.data), device_id];
      lines.push(copyLine([project_id, event.id, ...said, occurred_at, occurred_at, String(BEFORE_FEEDS)]));
      if (lines.length === BATCH) await copy();
    }
    await copy();
  });
}

/** Today, UTC: the day whose partition writes go to. */
export function today(): string {
  return new Date().toISOString().slice(0, 10);
}
