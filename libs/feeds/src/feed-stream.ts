import { JetStreamApiError, jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { headers, nanos, type NatsConnection } from '@nats-io/transport-node';
import { type FeedKind, type FeedPosition } from '#contracts';
import { decodeBatch, encodeBatch, feedSubject, type FeedBatch } from './feed-batch.js';

/** How much room a stream may take, and how safe it is. */
export interface StreamLimits {
  /** Servers of the NATS cluster that hold each message. */
  replicas: number;
  max_bytes: number;
}

/** What JetStream says of a stream that is not there. */
export const STREAM_MISSING = 10059;

/** Where a stream ends. */
export interface StreamEnd {
  sequence: number;
  /** The last batch; undefined when there is none. */
  last?: { position: FeedPosition; published_at: Date };
}

const DAY_MS = 86_400_000;
const DUPLICATE_WINDOW_MS = 600_000;
const PUBLISH_TIMEOUT_MS = 5_000;
/**
 * So many times in a row a stream that can be read may store nothing before it is made anew: a nats-server whose disk was
 * full writes to it no more.
 */
export const MOST_UNSTORED = 3;
/** What JetStream says to a stream that is there already, with another configuration. */
const STREAM_DIFFERS = 10058;

/** For how long a stream holds entries, in ms; undefined for ever. */
export function maxAgeOf(kind: FeedKind): number | undefined {
  return kind === 'audit' ? undefined : 7 * DAY_MS;
}

/** The name of a feed's stream in JetStream. */
export function streamName(kind: FeedKind): string {
  return `feed_${kind}`;
}

/** The JetStream stream of one kind: what the relay has published, and nothing else. */
export class FeedStream {
  constructor(
    private readonly nats: NatsConnection,
    private readonly kind: FeedKind,
    private readonly limits: StreamLimits,
  ) {}

  /** Makes the stream, or makes it what it is to be, and says where it ends. */
  async open(): Promise<StreamEnd> {
    const manager = await jetstreamManager(this.nats, { checkAPI: false });
    const { state } = await this.declare(manager);
    // What somebody else has put there is behind the last batch, or before it: it is passed over.
    for (let seq = state.last_seq; state.messages > 0 && seq >= state.first_seq; seq -= 1) {
      const found = await manager.streams.getMessage(streamName(this.kind), { seq });
      const batch = found && decodeBatch({ subject: found.subject, data: found.data, headers: found.header });
      if (batch)
        return { sequence: state.last_seq, last: { position: batch.position, published_at: found.time } };
    }
    return { sequence: state.last_seq };
  }

  /**
   * Says where the stream ends, and makes it when it is gone: not where it was left, then. Asks its leader, as any
   * other server of a cluster may answer who declares it.
   */
  async lastSequence(): Promise<number> {
    const manager = await jetstreamManager(this.nats, { checkAPI: false });
    const { state } = await manager.streams.info(streamName(this.kind)).catch((error: unknown) => {
      if (error instanceof JetStreamApiError && error.code === STREAM_MISSING) return this.declare(manager);
      throw error;
    });
    return state.last_seq;
  }

  /**
   * Puts a batch on disk, right behind the message of this sequence: a relay that has lost its lead without knowing it
   * forks nothing. @returns its own sequence
   */
  async publish(batch: FeedBatch, behind: number): Promise<number> {
    const { data, headers: named } = encodeBatch(batch);
    const carried = headers();
    for (const [name, value] of named) carried.set(name, value);
    const { seq } = await jetstream(this.nats).publish(feedSubject(this.kind), data, {
      headers: carried,
      // With its place: after a purge, what was published before may come again.
      msgID: `${this.kind}:${batch.position.join(':')}@${behind + 1}`,
      expect: { lastSequence: behind },
      timeout: PUBLISH_TIMEOUT_MS,
    });
    return seq;
  }

  /** What was published, e.g. by the relay of another database. */
  async clear(): Promise<void> {
    const manager = await jetstreamManager(this.nats, { checkAPI: false });
    await manager.streams.purge(streamName(this.kind));
  }

  /** Together with its consumers, who begin anew in the next. */
  async remove(): Promise<void> {
    const manager = await jetstreamManager(this.nats, { checkAPI: false });
    await manager.streams.delete(streamName(this.kind));
  }

  private declare(manager: JetStreamManager): ReturnType<typeof declareStream> {
    return declareStream(manager, {
      name: streamName(this.kind),
      subjects: [feedSubject(this.kind)],
      max_age: nanos(maxAgeOf(this.kind) ?? 0),
      max_bytes: this.limits.max_bytes,
      duplicate_window: nanos(DUPLICATE_WINDOW_MS),
      num_replicas: this.limits.replicas,
    });
  }
}

type StreamConfig = Parameters<JetStreamManager['streams']['add']>[0];

/** A stream on disk that drops its oldest messages when it is full. */
export async function declareStream(
  manager: JetStreamManager,
  config: StreamConfig,
): ReturnType<JetStreamManager['streams']['add']> {
  const whole: StreamConfig = { retention: 'limits', storage: 'file', discard: 'old', ...config };
  return manager.streams.add(whole).catch((error: unknown) => {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_DIFFERS) throw error;
    return manager.streams.update(config.name, whole);
  });
}
