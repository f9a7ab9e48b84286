import { decodeFrame, encodeFrame, type Part } from '#bus';
import { FEED_KINDS, isBehind, type FeedHead, type FeedKind, type FeedPosition } from '#contracts';

/** An entry on its way: what is known of it, and its JSON. */
export type FeedEntry = Part<FeedHead>;

/** Entries that travel in one message, in the order of their feed. */
export interface FeedBatch {
  kind: FeedKind;
  /** The position of the last entry before these. Whoever is not there yet has missed some. */
  after: FeedPosition;
  /** The position of the last of these. */
  position: FeedPosition;
  entries: FeedEntry[];
}

/** A message as JetStream hands it out: delivered, or looked up. */
interface Carrier {
  subject: string;
  data: Uint8Array;
  headers?: { get(name: string): string };
}

const AFTER = 'Flotilla-After';
const BATCH_BYTES = 1024 * 1024;

/** The NATS subject that a feed is published to. */
export function feedSubject(kind: FeedKind): string {
  return `feed.${kind}`;
}

/** Entries in their order, in batches of at most 1 MiB, unless one is larger; those of one position are in one batch. */
export function batchesOf(kind: FeedKind, after: FeedPosition, entries: FeedEntry[]): FeedBatch[] {
  const batches: FeedBatch[] = [];
  let bytes = Infinity;
  for (const entry of entries) {
    const { position } = entry.head;
    const size = Buffer.byteLength(entry.body);
    bytes += size;
    const last = batches.at(-1);
    // Of one position are the entries of projects that chose one id: whoever goes on behind it has had them all.
    if (last && (bytes <= BATCH_BYTES || !isBehind(position, last.position))) {
      last.entries.push(entry);
      last.position = position;
    } else {
      batches.push({ kind, after: last?.position ?? after, position, entries: [entry] });
      bytes = size;
    }
  }
  return batches;
}

/** What a batch is sent as. */
export function encodeBatch({ after, entries }: FeedBatch): {
  data: Uint8Array;
  headers: [string, string][];
} {
  return { data: encodeFrame(entries), headers: [[AFTER, JSON.stringify(after)]] };
}

/** @returns undefined for what no relay has published: it is no part of the feed */
export function decodeBatch({ subject, data, headers }: Carrier): FeedBatch | undefined {
  const named = headers?.get(AFTER);
  if (!named) return undefined;
  const kind = FEED_KINDS.find((one) => feedSubject(one) === subject)!;
  const entries = decodeFrame<FeedHead>(data);
  const after = JSON.parse(named) as FeedPosition;
  return { kind, after, position: entries.at(-1)!.head.position, entries };
}
