import { BEFORE_FEEDS, fillTables } from '../fill-tables.js';

/** The table that changes are in. */
export const HISTORY = 'device_state.history';
const TABLES = ['device_state.states', HISTORY];

const DATA = `json_build_object('temperature', number % 40, 'on', number % 2 = 0, 'place', 'hall ' || number % 100)`;

/** States of the devices `<prefix>0` to `<prefix><count - 1>`, each reported once, past the product. */
export function loadStates(
  database_url: string,
  project_id: string,
  prefix: string,
  count: number,
): Promise<void> {
  return fillTables(database_url, TABLES, async (client) => {
    await client.query(
      `INSERT INTO device_state.states
         (project_id, device_id, version, current, entries, first_seen_at, last_seen_at, updated_at)
       SELECT $1, $2 || number, 1, ${DATA}, 1, seen_at, seen_at, seen_at
       FROM generate_series(0, $3::int - 1) AS number,
         LATERAL (SELECT date_trunc('milliseconds', now()) - number * interval '10 ms' AS seen_at) AS sight`,
      [project_id, prefix, count],
    );
    await client.query(
      `INSERT INTO device_state.history
         (project_id, device_id, recorded_at, entry, id, operation, result, version, patch, data, updated_at, timestamp,
          clock, key_id, transaction_id)
       SELECT project_id, device_id, updated_at, 1, uuidv7(), 'merge', 'applied', 1, current, current, updated_at,
         updated_at, 'server', uuidv7(), ${BEFORE_FEEDS}
       FROM device_state.states WHERE project_id = $1 AND starts_with(device_id, $2)`,
      [project_id, prefix],
    );
  });
}

/** One device whose state has changed `changes` times, a change each 100 ms until `end`. */
export function loadHistory(
  database_url: string,
  project_id: string,
  device_id: string,
  changes: number,
  end: Date,
): Promise<void> {
  return fillTables(database_url, TABLES, async (client) => {
    await client.query(
      `INSERT INTO device_state.history
         (project_id, device_id, recorded_at, entry, id, operation, result, version, patch, data, updated_at, timestamp,
          clock, key_id, transaction_id)
       SELECT $1, $2, changed_at, number + 1, uuidv7(), 'merge', 'applied', number + 1, ${DATA}, ${DATA}, changed_at,
         changed_at, 'server', uuidv7(), ${BEFORE_FEEDS}
       FROM generate_series(0, $3::int - 1) AS number,
         LATERAL (SELECT $4::timestamptz - ($3::int - number) * interval '100 ms' AS changed_at) AS change`,
      [project_id, device_id, changes, end],
    );
    await client.query(
      `INSERT INTO device_state.states
         (project_id, device_id, version, current, entries, first_seen_at, last_seen_at, updated_at)
       SELECT $1, $2, max(version), '{}', max(entry), min(recorded_at), max(recorded_at), max(recorded_at)
       FROM device_state.history WHERE project_id = $1 AND device_id = $2`,
      [project_id, device_id],
    );
  });
}
