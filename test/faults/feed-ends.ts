import { type JetStreamManager } from '@nats-io/jetstream';
import { FEED_KINDS, isBehind, type FeedKind, type FeedPosition } from '#contracts';
import { decodeBatch, feedSubject, streamName, type FeedBatch } from '#feeds';
import { queryDatabase } from '#testing';
import { FEED_TABLES } from './feed-record.js';
import { onJetStream } from './jetstream.js';
import { CONSUMER, type Rig } from './rig.js';

/** The position of the last row of a feed. */
interface FeedEnd {
  kind: FeedKind;
  position: FeedPosition;
}

/** Where the feeds end in their tables, all at one moment; of those that have begun. */
export async function feedEnds(rig: Rig): Promise<FeedEnd[]> {
  const last = FEED_KINDS.map(
    (kind) =>
      `(SELECT '${kind}' AS kind, transaction_id, id FROM ${FEED_TABLES[kind].table}
        ORDER BY transaction_id DESC, id DESC LIMIT 1)`,
  );
  const rows = await queryDatabase<{ kind: FeedKind; transaction_id: string; id: string }>(
    rig.postgres.running.url,
    last.join(' UNION ALL '),
  );
  return rows.map(({ kind, transaction_id, id }) => ({ kind, position: [transaction_id, id] }));
}

/** Resolves when JetStream has the feeds up to these ends, and the consumer of the audit is through with its own. */
export async function expectTold(rig: Rig, ends: readonly FeedEnd[]): Promise<void> {
  await onJetStream(rig, async ({ streams, consumers }) => {
    const behind: string[] = [];
    for (const { kind, position } of ends) {
      if (!hasCome(await lastBatch(streams, kind), position)) behind.push(`the feed of ${kind}`);
      if (kind !== 'audit') continue;
      const { ack_floor } = await consumers.info(streamName(kind), CONSUMER);
      const seq = ack_floor.stream_seq;
      if (seq === 0 || !hasCome(await batchOf(streams, kind, { seq }), position)) behind.push(CONSUMER);
    }
    if (behind.length > 0) throw new Error(`behind what was committed: ${behind.join(', ')}`);
  });
}

/** What a feed ends with in JetStream; undefined for nothing, or for what is no batch. */
export function lastBatch(
  streams: JetStreamManager['streams'],
  kind: FeedKind,
): Promise<FeedBatch | undefined> {
  return batchOf(streams, kind, { last_by_subj: feedSubject(kind) });
}

async function batchOf(
  streams: JetStreamManager['streams'],
  kind: FeedKind,
  query: Parameters<typeof streams.getMessage>[1],
): Promise<FeedBatch | undefined> {
  const found = await streams.getMessage(streamName(kind), query);
  return found ? decodeBatch({ subject: found.subject, data: found.data, headers: found.header }) : undefined;
}

function hasCome(batch: FeedBatch | undefined, to: FeedPosition): boolean {
  return batch !== undefined && !isBehind(to, batch.position);
}
