import { Client } from 'pg';
import { SCHEMAS } from '../../../start/app-schema.js';
import { KINDS, WRITER, type Kind } from '../write.js';

/** A row that one write made. */
export interface StoredRow {
  kind: Kind;
  project_id: string;
  trace: string;
  subject: string;
  /** Place in the order of its subject; null for kinds without one. */
  version: number | null;
  at: Date;
  /** By which answers name it. */
  id: string;
  /** Of a price: the one before. */
  previous: string | null;
}

export interface Stored {
  rows: StoredRow[];
  /** Idempotency keys, as `<kind's schema> <project> <key>`. */
  keys: Set<string>;
  /** Sentences about what does not add up inside the database: sums, last links, counters. */
  contradictions: string[];
}

const ROWS: Record<Kind, string> = {
  state: `SELECT project_id, patch->>'write' AS trace, device_id AS subject, version, recorded_at AS at, id, NULL AS previous
    FROM device_state.history`,
  event: `SELECT project_id, message AS trace, '' AS subject, NULL AS version, created_at AS at, id, NULL AS previous
    FROM activity_events.events WHERE component <> 'auth'`,
  message: `SELECT project_id, message AS trace, '' AS subject, NULL AS version, created_at AS at, id, NULL AS previous
    FROM messages.messages`,
  price: `SELECT project_id, new_price::text AS trace, product_id AS subject, sequence AS version, timestamp AS at, id,
      previous_price::text AS previous
    FROM pricing.changes`,
  firmware: `SELECT project_id, firmware AS trace, device_id AS subject, NULL AS version, timestamp AS at, id, NULL AS previous
    FROM firmware.firmware_events`,
  device: `SELECT project_id, details->'changes'->'name'->>'after' AS trace, '' AS subject, NULL AS version, at, device_id AS id,
      NULL AS previous
    FROM auth.audit_entries WHERE action = 'device.changed'`,
};

/** Each finds what only an effect that was lost, doubled or torn can cause. */
const CONTRADICTIONS: Record<string, string> = {
  'the version of a state is not the number of its applied reports': `
    SELECT states.device_id AS what FROM device_state.states
    LEFT JOIN device_state.history USING (project_id, device_id)
    GROUP BY states.project_id, states.device_id, states.version, states.entries
    HAVING states.version <> count(*) FILTER (WHERE history.result = 'applied') OR states.entries <> count(history.entry)`,
  'a state is not what its last report left': `
    SELECT states.device_id AS what FROM device_state.states JOIN device_state.history USING (project_id, device_id, version)
    WHERE states.current::text IS DISTINCT FROM history.data::text`,
  'the price of a product is not the last of its chain': `
    SELECT product_id AS what FROM pricing.prices FULL JOIN (
      SELECT DISTINCT ON (project_id, product_id) project_id, product_id, sequence, new_price
      FROM pricing.changes ORDER BY project_id, product_id, sequence DESC) AS last USING (project_id, product_id)
    WHERE (prices.sequence, price) IS DISTINCT FROM (last.sequence, new_price)`,
  'the firmware of a device is not its newest install': `
    SELECT device_id AS what FROM firmware.devices FULL JOIN (
      SELECT DISTINCT ON (project_id, device_id) project_id, device_id, id
      FROM firmware.firmware_events WHERE status IN ('installed', 'updated')
      ORDER BY project_id, device_id, timestamp DESC, id DESC) AS newest USING (project_id, device_id)
    WHERE current_id IS DISTINCT FROM id`,
  'adoption does not count each device once': `
    SELECT adoption.firmware AS what FROM (
      SELECT project_id, span_s, firmware, sum(change) AS devices FROM firmware.adoption_changes
      GROUP BY project_id, span_s, firmware HAVING sum(change) <> 0) AS adoption
    LEFT JOIN (
      SELECT project_id, current_firmware AS firmware, count(*) AS devices FROM firmware.devices GROUP BY 1, 2) AS truth
      USING (project_id, firmware)
    WHERE adoption.devices IS DISTINCT FROM truth.devices`,
  'a conversation does not end with its last message': `
    SELECT owner AS what FROM messages.conversations LEFT JOIN LATERAL (
      SELECT id FROM messages.messages WHERE messages.project_id = conversations.project_id
        AND ((sender_mailbox = owner AND recipient_mailbox = peer) OR (sender_mailbox = peer AND recipient_mailbox = owner))
      ORDER BY created_at DESC, id DESC LIMIT 1) AS last ON true
    WHERE last_id IS DISTINCT FROM last.id`,
};

/** The final state, as the superuser sees it, past every service; without the rows of `ignored` projects. */
export async function readStored(database_url: string, ignored: readonly string[] = []): Promise<Stored> {
  const client = new Client({ connectionString: database_url });
  await client.connect();
  try {
    const rows: StoredRow[] = [];
    const keys = new Set<string>();
    const contradictions: string[] = [];
    for (const kind of KINDS) {
      const found = await client.query<Omit<StoredRow, 'kind' | 'version'> & { version: string | null }>(
        `SELECT * FROM (${ROWS[kind]}) AS written WHERE project_id = ANY ($1) IS NOT TRUE`,
        [ignored],
      );
      for (const row of found.rows)
        rows.push({ ...row, kind, version: row.version === null ? null : Number(row.version) });
      const schema = SCHEMAS[WRITER[kind]];
      const claimed = await client.query<{ project_id: string; key: string }>(
        `SELECT project_id, key FROM ${schema}.idempotency_keys WHERE route ~ '^(POST|PATCH|PUT) '`,
      );
      for (const { project_id, key } of claimed.rows) keys.add(keyName(kind, project_id, key));
    }
    for (const [sentence, sql] of Object.entries(CONTRADICTIONS)) {
      const found = await client.query<{ what: string }>(sql);
      for (const { what } of found.rows) contradictions.push(`${sentence}: ${what}`);
    }
    return { rows, keys, contradictions };
  } finally {
    await client.end();
  }
}

export function keyName(kind: Kind, project_id: string, key: string): string {
  return `${kind} ${project_id} ${key}`;
}

export function rowName({
  kind,
  project_id,
  trace,
}: Pick<StoredRow, 'kind' | 'project_id' | 'trace'>): string {
  return `${kind} ${project_id} ${trace}`;
}
