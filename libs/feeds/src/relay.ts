import { setTimeout } from 'node:timers/promises';
import { TimeoutError } from '@nats-io/transport-node';
import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type BusConnection } from '#bus';
import { FEED_START, type FeedPosition } from '#contracts';
import { Feed, isLast, Leadership, nextLimit, type Database, type Lead } from '#database';
import { batchesOf, type FeedBatch } from './feed-batch.js';
import { entryOf, type FeedSource } from './feed-source.js';
import { FeedStream, maxAgeOf, MOST_UNSTORED, type StreamEnd, type StreamLimits } from './feed-stream.js';

export interface RelayOptions<Row extends object> {
  source: FeedSource<Row>;
  /** Of the database, for a connection of its own. */
  url: string;
  limits: StreamLimits;
}

/** At most; large ones are read as many at a time as there is room for. */
const ROWS_A_READ = 512;
/** What is committed together soon is read together. */
const GATHER_MS = 50;
/** How often it looks for what others have committed. */
const POLL_MS = 200;
/** How often it looks, with nothing to publish, whether all is still as it left it. */
const LOOK_ROUND_MS = 3_000;
/** Times of rows rise along the feed, give or take as much. */
const CLOCK_MARGIN_MS = 3_600_000;
const DRAIN_MS = 5_000;

/**
 * Publishes a service's feed: every row once, in order, none skipped. One replica leads. It keeps no position of its
 * own: the last message of the stream is the position, and whoever takes over goes on behind it. A stream that is empty
 * is filled anew. While the database or NATS is away it waits.
 */
export class Relay<Row extends object> implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Relay.name);
  private readonly feed: Feed<Row>;
  private readonly leadership: Leadership;
  private isWoken = false;
  private resting = new AbortController();
  private published = 0;
  /** How often nothing could be stored behind the same message. */
  private unstored = { behind: -1, times: 0 };

  constructor(
    private readonly connection: BusConnection,
    private readonly database: Database,
    private readonly options: RelayOptions<Row>,
  ) {
    const { source, url } = options;
    this.feed = new Feed(source);
    this.leadership = new Leadership(url, `${source.table} relay`, (lead) => this.lead(lead), this.logger);
  }

  onApplicationBootstrap(): void {
    this.database.onCommit(() => {
      this.isWoken = true;
      this.resting.abort();
    });
    this.leadership.start();
  }

  /** Publishes what is committed, then gives up the lead. */
  async onModuleDestroy(): Promise<void> {
    const stopped = this.leadership.stop();
    this.resting.abort();
    await Promise.race([stopped, setTimeout(DRAIN_MS, undefined, { ref: false })]);
  }

  /** The relay as a part of an app's health and metrics. */
  readonly part = {
    name: 'feed',
    essential: false,
    check: (): Promise<void> => this.leadership.check(),
    gauges: {
      feed_leads: {
        help: 'Whether this process publishes the feed.',
        read: (): number => Number(this.leadership.isLeading),
      },
      feed_published: { help: 'Rows that this process has published.', read: (): number => this.published },
      feed_lag_s: {
        help: 'Age of the oldest row that is committed and not published yet.',
        read: (): number => this.leadership.lag_s,
      },
    },
  };

  private async lead(lead: Lead): Promise<void> {
    const { leadership } = this;
    const { source, limits } = this.options;
    const stream = new FeedStream(this.connection.nats, source.kind, limits);
    const end = await this.open(stream);
    let { sequence } = end;
    let position = await this.begin(lead, stream, end);
    leadership.begun();
    leadership.well();
    let looked_at = performance.now();
    for (let limit = ROWS_A_READ; ;) {
      const result = await this.feed.next(lead, position, limit);
      const [oldest] = result.rows as Record<string, unknown>[];
      if (oldest) leadership.waiting_since = Date.parse(oldest[source.recorded_at] as string);
      const entries = result.rows.map((row) => entryOf(source, row));
      for (const batch of batchesOf(source.kind, position, entries)) {
        sequence = await this.publish(stream, batch, sequence);
        position = batch.position;
        this.published += batch.entries.length;
      }
      if (oldest) leadership.waiting_since = undefined;
      if (!isLast(result, limit)) {
        limit = Math.min(nextLimit(result), ROWS_A_READ);
        continue;
      }
      if (leadership.isStopping) return;
      if (!oldest && performance.now() - looked_at >= LOOK_ROUND_MS) {
        leadership.waiting_since = await this.feed.waitingSince(lead, position);
        if ((await this.connection.ask(() => stream.lastSequence())) !== sequence) {
          this.logger.warn(`The stream of ${source.kind} is not as it was left: it is opened anew`);
          return;
        }
        looked_at = performance.now();
      }
      await this.rest();
    }
  }

  private async open(stream: FeedStream): Promise<StreamEnd> {
    const end = await this.connection.ask(() => stream.open());
    const { behind, times } = this.unstored;
    if (times < MOST_UNSTORED || behind !== end.sequence) return end;
    this.logger.error(`The stream of ${this.options.source.kind} stores nothing any more: it is made anew`);
    await stream.remove();
    this.unstored.times = 0;
    return stream.open();
  }

  private async publish(stream: FeedStream, batch: FeedBatch, behind: number): Promise<number> {
    try {
      return await this.connection.ask(() => stream.publish(batch, behind));
    } catch (error) {
      if (error instanceof TimeoutError)
        this.unstored = { behind, times: this.unstored.behind === behind ? this.unstored.times + 1 : 1 };
      throw error;
    }
  }

  /** Where to go on; in a stream without entries, before all that it is to hold. */
  private async begin(lead: Lead, stream: FeedStream, { last }: StreamEnd): Promise<FeedPosition> {
    const { kind } = this.options.source;
    if (last) {
      if (!(await this.feed.isForeign(lead, last.position, last.published_at))) return last.position;
      this.logger.error(`The stream of ${kind} is of another database: it begins anew`);
      await stream.clear();
    }
    const max_age_ms = maxAgeOf(kind);
    return max_age_ms === undefined
      ? FEED_START
      : this.feed.since(lead, new Date(Date.now() - max_age_ms - CLOCK_MARGIN_MS));
  }

  private async rest(): Promise<void> {
    await this.leadership.pause(GATHER_MS);
    if (!this.isWoken) {
      this.resting = new AbortController();
      await setTimeout(POLL_MS - GATHER_MS, undefined, { signal: this.resting.signal }).catch(
        () => undefined,
      );
    }
    this.isWoken = false;
  }
}
