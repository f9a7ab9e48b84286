import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { none, rateAtLeast } from '../bars.js';
import { type Bench, type BenchProject, withClient } from '../bench.js';
import { copyIn, copyLine } from '../copy-in.js';
import { dayOfEvents, type GeneratedEvent } from '../event-generator.js';
import { EVENTS, loadEvents, POSTED_EVENTS, today } from '../events/event-rows.js';
import { alternate, standingOf, type Contender, type Standing } from '../rounds.js';
import { type Suite } from '../section.js';
import { HISTORY } from '../states/state-rows.js';
import { countRows, missingRows, tidy, type Recorder } from '../writers.js';
import { bulkFile, upload, type BulkFile } from './bulk-upload.js';

const LINES = 200_000;
const CHUNK_ROWS = 500;

/** One file of many lines, `POST /v1/bulk`. */
export const bulkWrites: Suite = {
  name: 'bulk/writes',
  async *run(bench) {
    const project = await bench.project('bench bulk');
    const events = [...dayOfEvents({ seed: 3, day: today(), count: Math.min(LINES, bench.options.rows) })];
    const preload = { seed: 1, day: today(), count: bench.options.preload };
    const [copy] = await bench.prepare(`two databases with ${preload.count} events each`, () =>
      Promise.all([
        copyContender(bench, project, events),
        loadEvents(bench.database_url, project.id, preload),
      ]),
    );
    const { database_url } = bench;
    const uploading = (name: string, table: string, file: () => BulkFile): Contender & Recorder => ({
      name,
      database_url,
      turn: () => upload(bench.flotilla.url, project.key, file()),
      settle: () => tidy(database_url, table),
    });
    const recorders = [
      copy,
      uploading('flotilla, events', EVENTS, () => bulkFile(events.map(eventLine))),
      uploading('flotilla, events with keys', EVENTS, () =>
        bulkFile(events.map((event) => ({ ...eventLine(event), idempotency_key: randomUUID() }))),
      ),
    ];
    const reporters = [uploading('flotilla, state reports', HISTORY, () => bulkFile(events.map(stateLine)))];
    const before = [await countRows(recorders, POSTED_EVENTS), await countRows(reporters, HISTORY)] as const;
    const standings = await alternate(bench, [...recorders, ...reporters]);
    const missing =
      (await missingRows(recorders, POSTED_EVENTS, before[0], standings)) +
      (await missingRows(reporters, HISTORY, before[1], standings));
    const of = (name: string): Standing => standingOf(standings, name);
    yield {
      title: `Bulk: files of ${events.length} lines`,
      method:
        'One client sends one file and reads the verdicts meanwhile; the times are those of a whole file. COPY puts the same ' +
        'events as text into the same table with its indexes, in one transaction, from one client. State reports are of as many ' +
        'devices as the events, each a change. A 2xx is durable.',
      standings,
      bars: [
        rateAtLeast(`bulk of ${events.length} events`, 0.5, of('flotilla, events'), of('COPY')),
        rateAtLeast(`bulk of ${events.length} state reports`, 0.3, of('flotilla, state reports'), of('COPY')),
        none(
          'lines of a bulk, refused',
          standings.reduce((sum, { failed }) => sum + failed, 0),
        ),
        none('lines of a bulk, acknowledged and missing', missing),
      ],
    };
  },
};

/** Without ids and times of their own, as clients send events while they happen. */
function eventLine({ id: _, occurred_at: __, ...event }: GeneratedEvent): object {
  return { kind: 'event', ...event };
}

function stateLine({ device_id, component, data }: GeneratedEvent, index: number): object {
  return {
    kind: 'state',
    device_id: device_id ?? component,
    data: { ...data, report: `${index} ${Date.now()}` },
  };
}

/** The rows of the events, copied into a database of their own that holds as many rows before. */
async function copyContender(
  bench: Bench,
  { id: project_id }: BenchProject,
  events: GeneratedEvent[],
): Promise<Contender & Recorder> {
  const { admin } = await bench.databaseLike('activity-events', 'activity_events', 'copy');
  await loadEvents(admin, project_id, { seed: 1, day: today(), count: bench.options.preload });
  const table =
    'activity_events.events (project_id, id, component, environment, email, message, data, device_id, occurred_at, created_at)';
  return {
    name: 'COPY',
    database_url: admin,
    turn: async () => {
      const rows = copyRows(project_id, events);
      const elapsed_ms = await withClient(admin, async (client) => {
        const startedAt = performance.now();
        await copyIn(client, table, rows);
        return performance.now() - startedAt;
      });
      const acknowledged = events.length;
      const rate = acknowledged / (elapsed_ms / 1000);
      return { rate, acknowledged, failed: 0, p50_ms: elapsed_ms, p99_ms: elapsed_ms };
    },
    settle: () => tidy(admin, EVENTS),
  };
}

function copyRows(project_id: string, events: GeneratedEvent[]): Buffer[] {
  const now = new Date().toISOString();
  const chunks: Buffer[] = [];
  for (let at = 0; at < events.length; at += CHUNK_ROWS) {
    const rows = events.slice(at, at + CHUNK_ROWS).map((event) => {
      const { component, environment, email, message, data, device_id = null } = event;
      const said = [component, environment, email, message, JSON.stringify(data), device_id];
      return copyLine([project_id, uuidv7(), ...said, now, now]);
    });
    chunks.push(Buffer.from(rows.join('')));
  }
  return chunks;
}
