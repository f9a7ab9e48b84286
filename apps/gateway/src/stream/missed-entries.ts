import { Injectable } from '@nestjs/common';
import { Bus } from '#bus';
import {
  Failure,
  isBehind,
  isFeedEnd,
  readEventFeed,
  readFirmwareFeed,
  readMessageFeed,
  readPriceFeed,
  readStateFeed,
  type CallContext,
  type Contract,
  type EntryKind,
  type FeedPage,
  type FeedPosition,
  type FeedQuestion,
} from '#contracts';
import { Revisions } from '../auth/revisions.js';
import { notAnId } from './stream-id.js';
import { type StreamReader } from './stream-reader.js';

/** Which service has the feed of a kind. */
const SOURCES: Record<EntryKind, Contract<FeedQuestion, FeedPage>> = {
  event: readEventFeed,
  firmware: readFirmwareFeed,
  message: readMessageFeed,
  price: readPriceFeed,
  state: readStateFeed,
};

const ENTRIES_A_PAGE = 256;
/** Thousands of readers that come back at once leave the services room for other calls. */
const QUESTIONS_AT_ONCE = 16;

/** What readers have missed, from the services' tables. */
@Injectable()
export class MissedEntries {
  private asking = 0;
  private readonly waiting: (() => void)[] = [];
  private readonly ends = new Map<EntryKind, Promise<unknown>>();
  private readonly nextEnds = new Map<EntryKind, Promise<FeedPosition>>();

  constructor(
    private readonly bus: Bus,
    private readonly revisions: Revisions,
  ) {}

  /**
   * Where a feed ends now: whatever is committed from now on is behind it. Who asks while a question is under way shares
   * the next one, as that one may have been answered before.
   */
  endOf(kind: EntryKind, context: CallContext): Promise<FeedPosition> {
    const shared = this.nextEnds.get(kind);
    if (shared) return shared;
    const next = (this.ends.get(kind) ?? Promise.resolve()).then(() => {
      this.nextEnds.delete(kind);
      const end = this.ask(kind, { after: null, limit: 1 }, context).then(({ position }) => position);
      this.ends.set(
        kind,
        end.catch(() => undefined),
      );
      return end;
    });
    this.nextEnds.set(kind, next);
    return next;
  }

  /** @throws Failure `invalid` for a place that the feed of this database has not reached */
  async checkReached(kind: EntryKind, place: FeedPosition, context: CallContext): Promise<void> {
    await this.ask(kind, { after: place, limit: 1 }, context);
  }

  /**
   * Gives a reader all that it has missed of these kinds, as fast as it reads. They take turns, so that no more
   * than one page waits for it. @throws Failure of one, when the others have come to their end
   */
  async readTo(reader: StreamReader, kinds: readonly EntryKind[]): Promise<void> {
    const failures: unknown[] = [];
    for (let behind = kinds; behind.length > 0;) {
      const still: EntryKind[] = [];
      for (const kind of behind) {
        try {
          if (await this.readPage(reader, kind)) still.push(kind);
        } catch (error) {
          failures.push(error);
        }
      }
      behind = still;
    }
    if (failures.length > 0) throw failures[0];
  }

  /** @returns whether there may be more */
  private async readPage(reader: StreamReader, kind: EntryKind): Promise<boolean> {
    await reader.hasRoom();
    if (reader.isGone) return false;
    const { context, device_id } = reader;
    const after = reader.placeIn(kind);
    this.refuseUnlessTrusted();
    const page = await this.ask(kind, { after, device_id, limit: ENTRIES_A_PAGE }, context);
    // Who it is may have changed while the service was asked.
    this.refuseUnlessTrusted();
    reader.takePage(kind, page);
    return !isFeedEnd(page.position) && isBehind(page.position, after);
  }

  private refuseUnlessTrusted(): void {
    if (!this.revisions.isTrusted) throw new Failure('unavailable');
  }

  private async ask(kind: EntryKind, question: FeedQuestion, context: CallContext): Promise<FeedPage> {
    if (this.asking >= QUESTIONS_AT_ONCE) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.asking += 1;
    try {
      return (await this.bus.call(SOURCES[kind], question, context)).body;
    } catch (error) {
      // It asks for nothing else that could be wrong.
      throw error instanceof Failure && error.code === 'invalid' ? notAnId() : error;
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.asking -= 1;
    }
  }
}
