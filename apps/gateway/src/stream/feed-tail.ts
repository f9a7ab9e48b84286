import { isBehind, type EntryKind, type FeedPosition } from '#contracts';
import { type FeedBatch } from '#feeds';
import { LiveEntry } from './live-entry.js';

/** Some of a tail: what lies between where a reader stands and `position`. */
export interface TailBatch {
  position: FeedPosition;
  entries: LiveEntry[];
}

const MAX_BYTES = 8 * 1024 * 1024;

/**
 * The last batches of a feed that is followed, without a gap. As long as none of them has made way, whoever has read the table to
 * its end, and began to in this epoch, has missed nothing: what was not in the table then is published later, and is here.
 */
export class FeedTail {
  /** Another one whenever something may have been missed; 0 before the first. */
  epoch = 0;
  private isFollowed = false;
  private batches: TailBatch[] = [];
  private bytes = 0;
  /** Whether batches of this epoch have made way. */
  private hasDropped = false;
  /** What the first batch is behind; undefined before there was one in this epoch. */
  private start?: FeedPosition;
  private end?: FeedPosition;

  constructor(
    private readonly kind: EntryKind,
    private readonly max_bytes = MAX_BYTES,
  ) {}

  begin(): void {
    this.lose();
    this.isFollowed = true;
  }

  lose(): void {
    this.epoch += 1;
    this.isFollowed = false;
    this.batches = [];
    this.bytes = 0;
    this.hasDropped = false;
    this.start = this.end = undefined;
  }

  /** Takes a batch, after a gap as the first of a new epoch. @returns undefined when all of it was there before */
  append({ after, position, entries }: FeedBatch): TailBatch | undefined {
    if (this.end && isBehind(after, this.end)) this.begin();
    const { end } = this;
    if (end && !isBehind(position, end)) return undefined;
    const news = entries.filter(({ head }) => !end || isBehind(head.position, end));
    const batch = { position, entries: news.map((entry) => new LiveEntry(this.kind, entry)) };
    this.start ??= after;
    this.end = position;
    this.batches.push(batch);
    this.bytes += bytesOf(batch);
    while (this.bytes > this.max_bytes) {
      const oldest = this.batches.shift()!;
      this.bytes -= bytesOf(oldest);
      this.start = oldest.position;
      this.hasDropped = true;
    }
    return batch;
  }

  /** Whether all that is behind a position is here, or still to come. */
  covers(position: FeedPosition): boolean {
    return this.isFollowed && this.start !== undefined && !isBehind(this.start, position);
  }

  /** As `covers`, of a position that was the end of the table when it was looked at in this epoch. */
  coversEnd(position: FeedPosition, epoch: number): boolean {
    // Where the table ends may lie before what this tail began behind: that row, the last then, is deleted.
    const isWhole = this.isFollowed && !this.hasDropped && this.epoch === epoch;
    return isWhole || this.covers(position);
  }

  /** The next batch with something behind a position; undefined at the end. */
  next(after: FeedPosition): TailBatch | undefined {
    return this.batches.find(({ position }) => isBehind(position, after));
  }
}

function bytesOf({ entries }: TailBatch): number {
  return entries.reduce((sum, { bytes }) => sum + bytes, 0);
}
