import { setTimeout } from 'node:timers/promises';
import { jetstream, type Consumer, type ConsumerMessages } from '@nats-io/jetstream';
import { Logger } from '@nestjs/common';
import { type BusConnection } from '#bus';
import { type FeedKind } from '#contracts';
import { decodeBatch, type FeedBatch } from './feed-batch.js';
import { streamName } from './feed-stream.js';

/** Hears a feed. */
export interface FeedListener {
  /** From now on it takes all that is published: whoever reads the table from now on and then listens misses nothing. */
  began(): unknown;
  took(batch: FeedBatch): unknown;
  /** It may miss what is published, until it begins again. */
  lost(): unknown;
}

/** Batches under way from NATS; each is at most a MiB or so. */
const BATCHES_AHEAD = 16;
/** A server that is silent for twice as long has lost us, or we have lost it. */
const HEARTBEAT_MS = 1_000;
const ASK_AGAIN_MS = 4_000;
const TIMEOUT_MS = 2_000;
/** So long NATS keeps a consumer that asks for nothing: that of a process that was killed, or one whose making was not waited for. */
const INACTIVE_MS = 10_000;
const TRY_AGAIN_MS = 250;
/** All that a consumer says while nothing is wrong. */
const QUIET = ['next', 'heartbeat', 'debug', 'discard'];

/**
 * Follows the live end of a feed, with a consumer that nobody needs to keep. Whatever goes wrong, it says that it has
 * lost the feed and begins anew: what was published in between is in the table.
 */
export class FeedFollower {
  private readonly logger = new Logger(FeedFollower.name);
  private readonly stopping = new AbortController();
  private messages?: ConsumerMessages;
  private problem?: string;
  private readonly running: Promise<void>;

  constructor(
    private readonly connection: BusConnection,
    private readonly kind: FeedKind,
    private readonly listener: FeedListener,
  ) {
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.messages?.stop();
    await this.running;
  }

  /** Lets go of the feed: what was under way may be gone. */
  interrupt(): void {
    this.messages?.stop();
  }

  private async run(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        if (this.connection.isStanding) await this.follow();
      } catch (error) {
        const problem = String(error);
        if (problem !== this.problem) this.logger.warn(error);
        this.problem = problem;
      }
      await setTimeout(TRY_AGAIN_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    }
  }

  private async follow(): Promise<void> {
    const { consumers } = jetstream(this.connection.nats, { timeout: TIMEOUT_MS });
    const consumer = await consumers.get(streamName(this.kind), {
      deliver_policy: 'new',
      inactive_threshold: INACTIVE_MS,
    });
    const messages = await consumer.consume({
      max_messages: BATCHES_AHEAD,
      idle_heartbeat: HEARTBEAT_MS,
      expires: ASK_AGAIN_MS,
    });
    this.messages = messages;
    void stopWhenTroubled(messages);
    if (this.stopping.signal.aborted) messages.stop();
    this.listener.began();
    try {
      for await (const message of messages) {
        const batch = decodeBatch(message);
        if (batch) this.listener.took(batch);
      }
      this.problem = undefined;
    } finally {
      this.messages = undefined;
      messages.stop();
      this.listener.lost();
      await this.forget(consumer);
    }
  }

  /** NATS would keep it for a while. */
  private async forget(consumer: Consumer): Promise<void> {
    if (this.connection.isStanding) await consumer.delete().catch(() => undefined);
  }
}

async function stopWhenTroubled(messages: ConsumerMessages): Promise<void> {
  for await (const { type } of messages.status()) if (!QUIET.includes(type)) messages.stop();
}
