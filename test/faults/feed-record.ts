import { jetstream, type JetStreamManager } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { decodeFrame } from '#bus';
import { AUDIT_EVENT, FEED_KINDS, type FeedHead, type FeedKind, type FeedPosition } from '#contracts';
import { deadLetterStream, decodeBatch, streamName } from '#feeds';
import { queryDatabase } from '#testing';
import { POISON } from './faults/deliveries.js';
import { onJetStream } from './jetstream.js';
import { CONSUMER, type Rig } from './rig.js';

/** A row of a feed's table. */
export interface Committed {
  id: string;
  project_id: string;
  position: FeedPosition;
  subject: string;
  /** Place in the order of its subject; null for kinds without one. */
  version: number | null;
}

/** A feed as it is in the end: in its table, and in JetStream. */
export interface FeedRecord {
  kind: FeedKind;
  /** In the order of the feed. */
  rows: Committed[];
  /** Ids, in the order in which JetStream has them: there is room for all of a run, so that none may be missing. */
  published: string[];
}

/** What the consumer has made of the feed of the audit; ids of entries. */
export interface AuditRecord {
  /** Taken, as its inbox says. */
  inbox: string[];
  events: string[];
  /** Set aside. */
  dead_letters: string[];
  /** Put there as what nobody can digest. */
  poison: string[];
}

/** Where each feed is read from, and what tells its order apart from that of the feed. */
export const FEED_TABLES: Record<FeedKind, { table: string; subject?: string; version?: string }> = {
  state: { table: 'device_state.history', subject: 'device_id', version: 'version' },
  event: { table: 'activity_events.events' },
  message: { table: 'messages.messages' },
  price: { table: 'pricing.changes', subject: 'product_id', version: 'sequence' },
  firmware: { table: 'firmware.firmware_events' },
  audit: { table: 'auth.audit_entries' },
};

/** All feeds, for the judge. */
export function recordFeeds(rig: Rig): Promise<FeedRecord[]> {
  return onJetStream(rig, async (manager, nats) => {
    const feeds: FeedRecord[] = [];
    for (const kind of FEED_KINDS)
      feeds.push({
        kind,
        rows: await committed(rig, kind),
        published: await published(manager, nats, kind),
      });
    return feeds;
  });
}

export async function recordAudit(rig: Rig): Promise<AuditRecord> {
  const ids = async (sql: string, values: unknown[] = []): Promise<string[]> =>
    (await queryDatabase<{ id: string }>(rig.postgres.running.url, sql, values)).map(({ id }) => id);
  const dead_letters: string[] = [];
  await onJetStream(rig, (manager, nats) =>
    eachMessage(manager, nats, deadLetterStream(CONSUMER), ({ data }) => {
      dead_letters.push(...decodeFrame<FeedHead>(data).map(({ head }) => head.id));
    }),
  );
  return {
    inbox: await ids(`SELECT entry_id AS id FROM activity_events.inbox WHERE consumer = 'audit'`),
    events: await ids('SELECT id FROM activity_events.events WHERE (component, environment) = ($1, $2)', [
      AUDIT_EVENT.component,
      AUDIT_EVENT.environment,
    ]),
    dead_letters,
    poison: await ids('SELECT id FROM auth.audit_entries WHERE action = $1', [POISON]),
  };
}

/** In the order of the feed. */
async function committed(rig: Rig, kind: FeedKind): Promise<Committed[]> {
  const { table, subject = `''`, version = 'NULL' } = FEED_TABLES[kind];
  const rows = await queryDatabase<
    Omit<Committed, 'position' | 'version'> & { transaction_id: string; version: string | null }
  >(
    rig.postgres.running.url,
    `SELECT id, project_id, transaction_id, ${subject} AS subject, ${version} AS version FROM ${table}
     ORDER BY transaction_id, id`,
  );
  return rows.map(({ transaction_id, version: place, ...row }) => ({
    ...row,
    position: [transaction_id, row.id],
    version: place === null ? null : Number(place),
  }));
}

async function published(manager: JetStreamManager, nats: NatsConnection, kind: FeedKind): Promise<string[]> {
  const ids: string[] = [];
  await eachMessage(manager, nats, streamName(kind), (message) => {
    ids.push(...(decodeBatch(message)?.entries.map(({ head }) => head.id) ?? []));
  });
  return ids;
}

type Message = Parameters<typeof decodeBatch>[0];

/** Every message of a stream, from its first to the one that is its last now. */
async function eachMessage(
  manager: JetStreamManager,
  nats: NatsConnection,
  stream: string,
  take: (message: Message) => void,
): Promise<void> {
  const { state } = await manager.streams.info(stream);
  if (state.messages === 0) return;
  const consumer = await jetstream(nats).consumers.get(stream);
  for await (const message of await consumer.consume()) {
    take(message);
    if (message.seq >= state.last_seq) break;
  }
}
