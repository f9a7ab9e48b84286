import { Client } from 'pg';
import { eventually } from '#testing';
import { type Fault } from '../fault.js';
import { type Kind, type Write } from '../write.js';

/** What everybody wants who writes one kind about one subject. */
const LOCKS = {
  state: `SELECT FROM device_state.states WHERE project_id = $1 AND device_id = $2 FOR UPDATE`,
  firmware: `SELECT FROM firmware.devices WHERE project_id = $1 AND device_id = $2 FOR UPDATE`,
  price: `SELECT pg_advisory_xact_lock(hashtextextended('pricing ' || $1::text || ' ' || $2::text, 0))`,
} satisfies Partial<Record<Kind, string>>;

export type HotKind = keyof typeof LOCKS;
export const HOT_KINDS = Object.keys(LOCKS) as HotKind[];

/** Somebody else holds the row of one device, or the turn of one product, and does not let go. */
export function hotRow(kind: HotKind, hold_ms: number): Fault {
  return {
    row: 'slow Postgres, lock on a hot row',
    name: `the row of one ${kind} locked for ${hold_ms} ms`,
    hold_ms,
    async begin({ rig, projects }) {
      const [project] = projects;
      const subject = kind === 'price' ? project!.products[0]! : project!.devices[0]!.id;
      const client = new Client({ connectionString: rig.postgres.running.url });
      await client.connect();
      await client.query('BEGIN');
      // Somebody has to have written it.
      await eventually(async () => (await client.query(LOCKS[kind], [project!.id, subject])).rowCount === 1);
      const isHot = (write: Write): boolean =>
        write.kind === kind && write.project_id === project!.id && write.subject === subject;
      return {
        async end() {
          await client.query('ROLLBACK');
          await client.end();
        },
        prevents: isHot,
      };
    },
  };
}
