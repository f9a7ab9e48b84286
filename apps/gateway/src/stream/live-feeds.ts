import { EventEmitter, once } from 'node:events';
import { Injectable } from '@nestjs/common';
import { BusConnection } from '#bus';
import { ENTRY_KINDS, type EntryKind, type FeedPosition } from '#contracts';
import { FeedFollower, type FeedBatch } from '#feeds';
import { Revisions } from '../auth/revisions.js';
import { FeedTail } from './feed-tail.js';
import { type StreamReader } from './stream-reader.js';

export type Epochs = Record<EntryKind, number>;

/**
 * The feeds as they come, once for all readers of this gateway, and only while there are some. Readers join when they
 * have caught up; when something may have been missed they are let go, to catch up again.
 */
@Injectable()
export class LiveFeeds {
  private readonly tails = Object.fromEntries(
    ENTRY_KINDS.map((kind) => [kind, new FeedTail(kind)]),
  ) as Record<EntryKind, FeedTail>;
  private readonly changes = new EventEmitter().setMaxListeners(0);
  private readonly readers = new Map<StreamReader, () => void>();
  private followers: FeedFollower[] = [];

  constructor(
    private readonly connection: BusConnection,
    private readonly revisions: Revisions,
  ) {
    connection.onLost(() => this.followers.forEach((follower) => follower.interrupt()));
  }

  follow(): void {
    this.followers = ENTRY_KINDS.map((kind) => {
      // What one that is to stop still says is nobody's business.
      const isOurs = (): boolean => this.followers.includes(follower);
      const follower = new FeedFollower(this.connection, kind, {
        began: () => isOurs() && this.began(kind),
        took: (batch) => isOurs() && this.took(kind, batch),
        lost: () => isOurs() && this.lost(kind),
      });
      return follower;
    });
  }

  async stop(): Promise<void> {
    const { followers } = this;
    this.followers = [];
    for (const kind of ENTRY_KINDS) this.lost(kind);
    await Promise.all(followers.map((follower) => follower.stop()));
  }

  /** To be asked for before the tables are looked at. */
  epochs(): Epochs {
    return Object.fromEntries(ENTRY_KINDS.map((kind) => [kind, this.tails[kind].epoch])) as Epochs;
  }

  /** Resolves when a feed begins to be followed, or after a while. */
  async changed(wait_ms: number): Promise<void> {
    await once(this.changes, 'began', { signal: AbortSignal.timeout(wait_ms) }).catch(() => undefined);
  }

  /** Whether a reader need not look into the table of a kind. */
  covers(kind: EntryKind, position: FeedPosition): boolean {
    return this.tails[kind].covers(position);
  }

  /**
   * Takes a reader on: what it still lacks, a batch at a time, then all that comes.
   * @param epochs of the time before it looked where the tables end
   * @param turn how often it has asked: its kinds take turns
   * @returns a promise that ends when it has to catch up again; `more` when it should ask again as soon as it has room;
   * `missing` when something is in the tables only
   */
  join(reader: StreamReader, epochs: Epochs, turn: number): Promise<void> | 'more' | 'missing' {
    const tails = reader.kinds.map((kind) => [kind, this.tails[kind]] as const);
    const isCovered = tails.every(([kind, tail]) => tail.coversEnd(reader.placeIn(kind), epochs[kind]));
    if (!isCovered || !this.revisions.isTrusted) return 'missing';
    const first = turn % tails.length;
    for (const [kind, tail] of [...tails.slice(first), ...tails.slice(0, first)]) {
      const batch = tail.next(reader.placeIn(kind));
      if (!batch) continue;
      reader.take(kind, batch);
      return 'more';
    }
    return new Promise((resolve) => this.readers.set(reader, resolve));
  }

  leave(reader: StreamReader): void {
    this.readers.get(reader)?.();
    this.readers.delete(reader);
  }

  private began(kind: EntryKind): void {
    this.tails[kind].begin();
    this.letGo(kind);
    this.changes.emit('began');
  }

  private lost(kind: EntryKind): void {
    this.tails[kind].lose();
    this.letGo(kind);
  }

  private took(kind: EntryKind, batch: FeedBatch): void {
    const tail = this.tails[kind];
    const { epoch } = tail;
    const news = tail.append(batch);
    // Behind a gap nobody may go on; nor while nobody knows whose rights have changed.
    if (tail.epoch !== epoch || !this.revisions.isTrusted) this.letGo(kind);
    if (news) for (const reader of this.readers.keys()) if (reader.reads(kind)) reader.takeLive(kind, news);
  }

  private letGo(kind: EntryKind): void {
    for (const reader of this.readers.keys()) if (reader.reads(kind)) this.leave(reader);
  }
}
