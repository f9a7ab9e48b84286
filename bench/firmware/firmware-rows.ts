import { BEFORE_FEEDS, fillTables } from '../fill-tables.js';

export const EVENTS_A_DEVICE = 5;
/** The table that events are in. */
export const FIRMWARE_EVENTS = 'firmware.firmware_events';
const TABLES = [FIRMWARE_EVENTS, 'firmware.devices', 'firmware.adoption_changes'];

/**
 * Devices `fleet-0` to `fleet-<devices - 1>` with five events each, the last an install of one of twenty versions,
 * and the sums that adoption is answered from, past the product.
 */
export function loadFleet(database_url: string, project_id: string, devices: number): Promise<void> {
  return fillTables(database_url, TABLES, async (client) => {
    await client.query(
      `INSERT INTO firmware.firmware_events (project_id, device_id, timestamp, id, firmware, status, created_at, transaction_id)
       SELECT $1, 'fleet-' || device, happened_at, uuidv7(), '1.' || device % 20 || '.' || step / 2,
         CASE WHEN step % 2 = 0 THEN 'installed' ELSE 'downloading' END, happened_at, ${BEFORE_FEEDS}
       FROM generate_series(0, $2::int - 1) AS device, generate_series(0, ${EVENTS_A_DEVICE - 1}) AS step,
         LATERAL (SELECT date_trunc('milliseconds', now() - (${EVENTS_A_DEVICE} - step) * interval '1 day'
                                    - device * interval '1 ms') AS happened_at) AS event`,
      [project_id, devices],
    );
    await client.query(
      `INSERT INTO firmware.devices
       SELECT DISTINCT ON (device_id) project_id, device_id, id, firmware, status, timestamp, created_at,
         id, firmware, timestamp
       FROM firmware.firmware_events WHERE project_id = $1 ORDER BY device_id, timestamp DESC`,
      [project_id],
    );
    await client.query(
      `WITH installs AS (
         SELECT timestamp, firmware, lag(firmware) OVER (PARTITION BY device_id ORDER BY timestamp) AS before
         FROM firmware.firmware_events WHERE project_id = $1 AND status = 'installed'
       ), changes AS (
         SELECT timestamp, firmware, 1 AS change FROM installs
         UNION ALL SELECT timestamp, before, -1 FROM installs WHERE before IS NOT NULL
       ), spans AS (
         SELECT span_s, firmware, change,
           CASE WHEN span_s = 0 THEN (extract(epoch FROM timestamp) * 1000)::bigint
                ELSE floor(extract(epoch FROM timestamp) / span_s)::bigint * span_s * 1000 END AS start_ms
         FROM changes, unnest(ARRAY[2592000, 86400, 3600, 60, 0]) AS span_s
       )
       INSERT INTO firmware.adoption_changes
       SELECT $1, span_s, start_ms, firmware, sum(change) FROM spans
       GROUP BY span_s, start_ms, firmware HAVING sum(change) <> 0`,
      [project_id],
    );
  });
}
