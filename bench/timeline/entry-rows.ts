import { BEFORE_FEEDS, fillTables } from '../fill-tables.js';

export const DAYS = 60;
export const DEVICES = 1_000;

/** Of ten entries. */
const MIX = { state: 4, event: 3, firmware: 1, message: 1, price: 1 } as const;

const TABLES = {
  state: 'device_state.history',
  event: 'activity_events.events',
  firmware: 'firmware.firmware_events',
  message: 'messages.messages',
  price: 'pricing.changes',
} as const;

/** The time of row `n` of `count`: evenly over the last days, newest first. */
const AT = (count: number): string => `now() - n * interval '${DAYS} days' / ${count}`;
const DEVICE = `'pump ' || n * 7919 % ${DEVICES}`;

/** How each kind is made; `$1` is the project, `$2` the mailbox of a member who has half of the messages. */
const INSERTS: Record<keyof typeof MIX, (at: string, count: number) => string> = {
  state: (at, count) => `
    INSERT INTO device_state.history (project_id, device_id, recorded_at, entry, id, operation, result, version, patch,
      data, updated_at, timestamp, clock, key_id, transaction_id)
    SELECT $1::uuid, ${DEVICE}, ${at}, ${count} - n, gen_random_uuid(), 'merge', 'applied', ${count} - n,
      ('{"temperature":' || n % 100 || '}')::json, ('{"on":true,"temperature":' || n % 100 || '}')::json, ${at}, ${at}, 'device', $1::uuid,
      ${BEFORE_FEEDS}`,
  event: (at) => `
    INSERT INTO activity_events.events (project_id, device_id, occurred_at, id, component, environment, email, message,
      data, created_at, transaction_id)
    SELECT $1::uuid, CASE WHEN n % 3 <> 0 THEN ${DEVICE} END, ${at}, gen_random_uuid(), 'component ' || n % 20,
      'production', 'ada@example.com', 'Pump ' || n || ' was started', ('{"pressure":' || n % 100 || '}')::json, ${at}, ${BEFORE_FEEDS}`,
  firmware: (at) => `
    INSERT INTO firmware.firmware_events (project_id, device_id, timestamp, id, firmware, status, created_at,
      transaction_id)
    SELECT $1::uuid, ${DEVICE}, ${at}, gen_random_uuid(), '1.' || n % 50 || '.0', 'installed', ${at}, ${BEFORE_FEEDS}`,
  message: (at) => `
    INSERT INTO messages.messages (project_id, id, created_at, sender, recipient, sender_mailbox, recipient_mailbox,
      message, device_id, transaction_id)
    SELECT $1::uuid, gen_random_uuid(), ${at}, 'ada@example.com', 'bob@example.com',
      CASE n % 4 WHEN 0 THEN $2 ELSE 'device pump ' || n * 7919 % ${DEVICES} END,
      CASE n % 4 WHEN 1 THEN $2 ELSE 'member bob' END, 'Close valve ' || n, CASE WHEN n % 3 = 0 THEN ${DEVICE} END,
      ${BEFORE_FEEDS}`,
  price: (at, count) => `
    INSERT INTO pricing.changes (project_id, product_id, timestamp, sequence, id, previous_price, new_price,
      transaction_id)
    SELECT $1::uuid, 'SKU ' || n % 10000, ${at}, ${count} + 2 - n, gen_random_uuid(), n, n + 1,
      ${BEFORE_FEEDS}`,
};

/**
 * Puts `count` entries of all kinds straight into the tables, past the product: what is measured is the reading.
 * @param mailbox of a member who has half of the messages
 */
export async function loadEntries(
  admin_url: string,
  project_id: string,
  mailbox: string,
  count: number,
): Promise<void> {
  await Promise.all(
    (Object.keys(MIX) as (keyof typeof MIX)[]).map((kind) =>
      fillTables(admin_url, [TABLES[kind]], async (client) => {
        const share = Math.ceil((count * MIX[kind]) / 10);
        // Only messages know of a mailbox; a parameter that nobody uses would have no type.
        const values = kind === 'message' ? [project_id, mailbox] : [project_id];
        await client.query(
          `${INSERTS[kind](AT(share), share)} FROM generate_series(1, ${share}::bigint) AS n`,
          values,
        );
      }),
    ),
  );
}
