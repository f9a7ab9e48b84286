import { setTimeout as pause } from 'node:timers/promises';
import { FEED_KINDS, type FeedKind } from '#contracts';
import { streamName } from '#feeds';
import { queryDatabase } from '#testing';
import { type Audience } from './audience.js';
import { lastBatch } from './feed-ends.js';
import { FEED_TABLES } from './feed-record.js';
import { onJetStream } from './jetstream.js';
import { CONSUMER, type Rig } from './rig.js';

/** Whether all that was committed has arrived, wherever it is told. */
export interface Settled {
  /** Since the last write; undefined when it never did. */
  took_ms?: number;
  /** Sentences. */
  missing: string[];
}

const LOOK_AGAIN_MS = 250;

/** Waits until all has arrived, for so long at most. Nobody may write any more. */
export async function settle(rig: Rig, audience: Audience, patience_ms: number): Promise<Settled> {
  const since = performance.now();
  for (;;) {
    const missing = await underWay(rig, audience).catch((error: unknown) => [String(error)]);
    const took_ms = Math.round(performance.now() - since);
    if (missing.length === 0) return { took_ms, missing };
    if (took_ms > patience_ms) return { missing };
    await pause(LOOK_AGAIN_MS);
  }
}

async function underWay(rig: Rig, audience: Audience): Promise<string[]> {
  await rig.ready();
  return onJetStream(rig, async ({ streams, consumers }) => {
    const found: string[] = [];
    for (const kind of FEED_KINDS) {
      const ends = await endsOf(rig, kind);
      for (const { project_id, id } of ends)
        if (kind !== 'audit' && audience.isOf(project_id) && !audience.heard.has(id))
          found.push(`the stream of ${project_id} has no ${kind} ${id}`);
      const published = (await lastBatch(streams, kind))?.entries.at(-1)?.head.id;
      if (ends.length > 0 && published !== ends.at(-1)!.id)
        found.push(`the feed of ${kind} ends with ${published}, its table with ${ends.at(-1)!.id}`);
    }
    const { num_pending, num_ack_pending } = await consumers.info(streamName('audit'), CONSUMER);
    if (num_pending + num_ack_pending > 0)
      found.push(`${CONSUMER} has ${num_pending + num_ack_pending} batches of the audit before it`);
    return found;
  });
}

/** The last row of each project, in the order of the feed. */
function endsOf(rig: Rig, kind: FeedKind): Promise<{ project_id: string; id: string }[]> {
  return queryDatabase(
    rig.postgres.running.url,
    `SELECT project_id, id FROM (
       SELECT DISTINCT ON (project_id) project_id, transaction_id, id FROM ${FEED_TABLES[kind].table}
       ORDER BY project_id, transaction_id DESC, id DESC
     ) AS ends ORDER BY transaction_id, id`,
  );
}
