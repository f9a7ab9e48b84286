import { setTimeout } from 'node:timers/promises';
import {
  JetStreamApiError,
  jetstream,
  jetstreamManager,
  type Consumer,
  type ConsumerConfig,
  type JetStreamManager,
  type JsMsg,
  type StoredMsg,
  type StreamState,
} from '@nats-io/jetstream';
import { headers, nanos, TimeoutError } from '@nats-io/transport-node';
import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { encodeFrame, type BusConnection } from '#bus';
import { Failure, type FeedKind } from '#contracts';
import { decodeBatch, type FeedEntry } from './feed-batch.js';
import { declareStream, MOST_UNSTORED, STREAM_MISSING, streamName } from './feed-stream.js';

export interface FeedConsumerOptions {
  /** Durable: whoever consumes under this name goes on where the last one was. Letters, digits and dashes. */
  name: string;
  kind: FeedKind;
  /** Servers of the NATS cluster that hold each dead letter. */
  replicas: number;
  /**
   * Has these entries' effects, in their order. Entries come again after a crash: see `takeNew` of `#database`. Throws a
   * Failure `unavailable` for what passes by itself, and anything else for an entry that it cannot digest.
   */
  handle(entries: FeedEntry[]): Promise<void>;
}

interface Undigested {
  entry: FeedEntry;
  error: unknown;
}

/** How often an entry is tried before it goes to the dead letters. */
const ATTEMPTS = 8;
const FIRST_BACKOFF_MS = 5;
const MAX_BACKOFF_MS = 2_000;
const TRY_AGAIN_MS = 500;
/** Of a question for the next batch; the least that NATS allows, and as long as a stop may take. */
const WAIT_MS = 1_000;
/** After so long, what a process had when it died goes to another. Whoever lives says so in time. */
const ACK_WAIT_MS = 5_000;
const STILL_WORKING_MS = 1_000;
/** What JetStream says of a consumer that is not there. */
const CONSUMER_MISSING = 10014;
/** What JetStream says to a consumer that is there already, with another configuration. */
const CONSUMER_DIFFERS = 10148;
const FROM_THE_START = { deliver_policy: 'all' } as const;
const DEAD_MAX_AGE_MS = 30 * 86_400_000;
const DEAD_MAX_BYTES = 64 * 1024 * 1024;

/** The NATS subject that a consumer puts its dead letters to. */
export function deadLetterSubject(consumer: string): string {
  return `dead.${consumer}`;
}

/** The name of the stream that keeps a consumer's dead letters. */
export function deadLetterStream(consumer: string): string {
  return `dead_${consumer}`;
}

/**
 * Consumes a feed in its order, one batch at a time over all replicas. What passes by itself is waited for, however
 * long. An entry that cannot be digested is tried again a few times while the others go on, then put among the dead
 * letters, where it is kept whole for 30 days: it holds up nothing.
 */
export class FeedConsumer implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(FeedConsumer.name);
  private readonly stopping = new AbortController();
  private running?: Promise<void>;
  private problem?: string;
  /** Whether this process has found the stream of its feed there, ever. */
  private hasBegun = false;
  private consumed = 0;
  private dead = 0;
  private batches_pending = 0;
  /** How often no dead letter could be stored behind the same one. */
  private unburied = { behind: -1, times: 0 };

  constructor(
    private readonly connection: BusConnection,
    private readonly options: FeedConsumerOptions,
  ) {}

  onApplicationBootstrap(): void {
    this.running = this.run();
  }

  /** Finishes the batch at hand, or hands it back when what it needs is away. */
  async onModuleDestroy(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** The consumer as a part of an app's health and metrics. */
  readonly part = {
    name: 'feed-consumer',
    essential: false,
    check: (): Promise<void> =>
      this.problem === undefined ? Promise.resolve() : Promise.reject(new Error(this.problem)),
    gauges: {
      feed_consumed: { help: 'Entries that this process has consumed.', read: (): number => this.consumed },
      feed_dead_letters: {
        help: 'Entries that this process could not digest.',
        read: (): number => this.dead,
      },
      feed_batches_pending: {
        help: 'Batches that this consumer has not taken yet, as of the last one that this process took.',
        read: (): number => this.batches_pending,
      },
    },
  };

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.consume(await this.connection.ask(() => this.open()));
      } catch (error) {
        this.report(error);
      }
      await this.pause(TRY_AGAIN_MS);
    }
  }

  private async consume(consumer: Consumer): Promise<void> {
    this.hasBegun = true;
    while (!this.stopping.signal.aborted) {
      const message = await this.unlessStopped(consumer.next({ expires: WAIT_MS }));
      this.batches_pending = message?.info.pending ?? 0;
      if (message) await this.take(message);
      this.problem = undefined;
    }
  }

  /**
   * A server that is away answers no pull, and at the end none is worth waiting for. No race with a promise for the end: it
   * would hold every message until then.
   */
  private unlessStopped(next: Promise<JsMsg | null>): Promise<JsMsg | null> {
    const { signal } = this.stopping;
    return new Promise((resolve, reject) => {
      const stop = (): void => resolve(null);
      signal.addEventListener('abort', stop, { once: true });
      void next.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
    });
  }

  private async open(): Promise<Consumer> {
    const { name, kind } = this.options;
    const manager = await jetstreamManager(this.connection.nats, { checkAPI: false });
    const { state } = await this.declareDeadLetters(manager);
    if (state.last_seq !== this.unburied.behind) this.unburied = { behind: state.last_seq, times: 0 };
    const begin = this.unburied.times < MOST_UNSTORED ? FROM_THE_START : await this.buryAnew(manager, state);
    const config = {
      ack_policy: 'explicit',
      ack_wait: nanos(ACK_WAIT_MS),
      // One batch at a time keeps the order. Deliveries are not counted: a crash is nobody's fault, ATTEMPTS are.
      max_ack_pending: 1,
      max_deliver: -1,
    } as const;
    await manager.consumers
      .add(streamName(kind), { ...config, ...begin, durable_name: name })
      .catch((error: unknown) => {
        if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_DIFFERS) throw error;
        return manager.consumers.update(streamName(kind), name, config);
      });
    return jetstream(this.connection.nats).consumers.get(streamName(kind), name);
  }

  private declareDeadLetters(manager: JetStreamManager): ReturnType<typeof declareStream> {
    const { name, replicas } = this.options;
    return declareStream(manager, {
      name: deadLetterStream(name),
      subjects: [deadLetterSubject(name)],
      max_age: nanos(DEAD_MAX_AGE_MS),
      max_bytes: DEAD_MAX_BYTES,
      num_replicas: replicas,
    });
  }

  /**
   * Puts the dead letters into a stream that stores again. Without a consumer meanwhile: whoever comes after one that died of
   * this begins at the start of the feed, and comes to the same dead letters.
   * @returns where the consumer is to begin
   */
  private async buryAnew(
    manager: JetStreamManager,
    { first_seq, last_seq }: StreamState,
  ): Promise<Partial<ConsumerConfig>> {
    const { name, kind } = this.options;
    const { consumers, streams } = manager;
    this.logger.error(`The dead letters of ${name} are stored no more: they are put into a new stream`);
    const letters: StoredMsg[] = [];
    for (let seq = Math.max(1, first_seq); seq <= last_seq; seq += 1) {
      const letter = await streams.getMessage(deadLetterStream(name), { seq });
      if (letter) letters.push(letter);
    }
    const consumer = await consumers.info(streamName(kind), name).catch(unlessMissing);
    await consumers.delete(streamName(kind), name).catch(unlessMissing);
    await streams.delete(deadLetterStream(name)).catch(unlessMissing);
    await this.declareDeadLetters(manager);
    for (const { data, header } of letters)
      await jetstream(this.connection.nats).publish(deadLetterSubject(name), data, { headers: header });
    this.unburied.times = 0;
    return consumer
      ? { deliver_policy: 'by_start_sequence', opt_start_seq: consumer.ack_floor.stream_seq + 1 }
      : FROM_THE_START;
  }

  private async take(message: JsMsg): Promise<void> {
    const working = setInterval(() => message.working(), STILL_WORKING_MS);
    try {
      const entries = this.entriesOf(message);
      let failed = await this.offer(entries);
      for (let attempt = 2; failed.length > 0 && attempt <= ATTEMPTS; attempt += 1) {
        await this.pause(FIRST_BACKOFF_MS * 2 ** (attempt - 2));
        const again: Undigested[] = [];
        for (const { entry } of failed) again.push(...(await this.offer([entry])));
        failed = again;
      }
      for (const one of failed) await this.bury(one);
      this.consumed += entries.length;
      message.ack();
    } catch (error) {
      message.nak();
      throw error;
    } finally {
      clearInterval(working);
    }
  }

  private entriesOf(message: JsMsg): FeedEntry[] {
    const batch = decodeBatch(message);
    if (!batch)
      this.logger.error(`Message ${message.seq} of ${message.info.stream} is no batch: it is passed over`);
    return batch?.entries ?? [];
  }

  /** Offers entries in their order; halved until what cannot be digested is alone. @returns those */
  private async offer(entries: FeedEntry[]): Promise<Undigested[]> {
    if (entries.length === 0) return [];
    const error = await this.refusalOf(entries);
    if (error === undefined) return [];
    if (entries.length === 1) return [{ entry: entries[0]!, error }];
    const middle = entries.length >> 1;
    const first = await this.offer(entries.slice(0, middle));
    return [...first, ...(await this.offer(entries.slice(middle)))];
  }

  /** What the handler says to entries, once nothing that it needs is away any more; undefined when all is well. */
  private async refusalOf(entries: FeedEntry[]): Promise<unknown> {
    for (let backoff_ms = FIRST_BACKOFF_MS; ; backoff_ms = Math.min(backoff_ms * 2, MAX_BACKOFF_MS)) {
      try {
        await this.options.handle(entries);
        return undefined;
      } catch (error) {
        if (!(error instanceof Failure) || error.code !== 'unavailable') return error ?? new Error('refused');
        if (this.stopping.signal.aborted) throw error;
        await this.pause(backoff_ms);
      }
    }
  }

  private async bury({ entry, error }: Undigested): Promise<void> {
    const { name, kind } = this.options;
    const { id } = entry.head;
    this.logger.error(error, `An entry of ${kind} is among the dead letters of ${name}: ${id}`);
    const carried = headers();
    carried.set('Flotilla-Kind', kind);
    try {
      await jetstream(this.connection.nats).publish(deadLetterSubject(name), encodeFrame([entry]), {
        headers: carried,
        msgID: `${name}:${id}`,
      });
    } catch (failure) {
      if (failure instanceof TimeoutError) this.unburied.times += 1;
      throw failure;
    }
    this.dead += 1;
  }

  /** Once for each problem, however long it lasts. A feed that nobody has begun yet has no entries: that is none. */
  private report(error: unknown): void {
    const isMissing = error instanceof JetStreamApiError && error.code === STREAM_MISSING;
    const problem = isMissing && !this.hasBegun ? undefined : String(error);
    if (problem !== this.problem && problem !== undefined) this.logger.error(error);
    this.problem = problem;
  }

  private async pause(length_ms: number): Promise<void> {
    await setTimeout(length_ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}

/** What is to be deleted may be gone: another replica has come to the same end. */
function unlessMissing(error: unknown): undefined {
  if (!(error instanceof JetStreamApiError) || ![STREAM_MISSING, CONSUMER_MISSING].includes(error.code))
    throw error;
}
