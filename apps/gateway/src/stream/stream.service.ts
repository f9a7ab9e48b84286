import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { type FastifyReply } from 'fastify';
import {
  Failure,
  isBehind,
  type CallContext,
  type Caller,
  type FeedPosition,
  type StreamQuery,
} from '#contracts';
import { Metrics } from '#service';
import { KeyRing } from '../auth/key-ring.js';
import { type Principal } from '../auth/principal.js';
import { Revisions, type ChangedRights } from '../auth/revisions.js';
import { patiently } from '../bulk/patience.js';
import { GatewayConfig } from '../gateway.config.js';
import { scopeOf, type EntryScope } from '../timeline-scope.js';
import { TimelineService } from '../timeline.service.js';
import { LiveFeeds, type Epochs } from './live-feeds.js';
import { MissedEntries } from './missed-entries.js';
import { placesOf, type Places } from './stream-id.js';
import { StreamReader } from './stream-reader.js';

const TRY_AGAIN_MS = 250;
/** For how long a stream goes on while nobody can tell whether its key is still good. */
const PATIENCE_MS = 10_000;
const COME_BACK_S = 5;
/** At a stop, for those who read slowly. */
const STOP_LINGER_MS = 1_000;

/**
 * The open streams of this gateway. A reader gets what it has missed from the services' tables, then what comes from
 * the feeds; its position decides, so that nothing is missed or repeated wherever it goes over.
 */
@Injectable()
export class StreamService implements OnModuleDestroy {
  private readonly logger = new Logger(StreamService.name);
  private readonly readers = new Set<StreamReader>();
  private serving = 0;
  private sent = 0;
  private isStopping = false;

  constructor(
    private readonly live: LiveFeeds,
    private readonly missed: MissedEntries,
    private readonly timeline: TimelineService,
    private readonly keyRing: KeyRing,
    private readonly config: GatewayConfig,
    revisions: Revisions,
    metrics: Metrics,
  ) {
    revisions.onChange((changed) => this.endOf(changed));
    metrics.gauge('streams_open', 'Streams that are open.', () => this.readers.size);
    metrics.gauge('stream_entries_sent', 'Entries sent to streams that have ended, and to those open.', () =>
      [...this.readers].reduce((sum, reader) => sum + reader.sent, this.sent),
    );
  }

  /** Ends all streams: their clients go on elsewhere. */
  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    for (const reader of this.readers) reader.end(undefined, STOP_LINGER_MS);
    await this.live.stop();
  }

  /** @throws Failure where `open` would */
  async check(query: StreamQuery, last_id: string | undefined, context: CallContext): Promise<void> {
    const { scope, known } = this.read(query, last_id, context.caller);
    await this.placesFor(query, { ...scope, context }, known);
  }

  /**
   * Opens a stream behind an id, or from now on.
   * @throws Failure before the first byte is sent
   */
  async open(
    query: StreamQuery,
    last_id: string | undefined,
    principal: Principal,
    context: CallContext,
    reply: FastifyReply,
  ): Promise<void> {
    const { scope, known } = this.read(query, last_id, principal.caller);
    const reader = new StreamReader(reply, context, scope, principal.expires_at_ms, {
      buffer_bytes: this.config.STREAM_BUFFER_KIB * 1024,
      ping_ms: this.config.STREAM_PING_S * 1_000,
    });
    this.admit(reader);
    const epochs = this.live.epochs();
    try {
      const places = await this.placesFor(query, reader, known);
      // Rights that went before the reader was admitted; of later changes it hears as all do.
      const isHeld = await this.keyRing.isHeld(principal);
      if (this.isStopping) throw new Failure('unavailable');
      if (!isHeld || reader.isGone) throw new Failure('unauthenticated', 'This key is not valid');
      reader.begin(places);
    } catch (error) {
      reader.end();
      throw error;
    }
    void this.serve(reader, last_id ? undefined : epochs);
  }

  /** What is asked for, by one for whom there is room. */
  private read(
    { kinds, device_id }: StreamQuery,
    last_id: string | undefined,
    caller: Caller,
  ): { scope: EntryScope; known: Places } {
    const known = last_id ? placesOf(last_id) : {};
    const scope = scopeOf(caller, kinds, device_id);
    this.checkRoom(caller);
    return { scope, known };
  }

  private checkRoom(caller: Caller): void {
    if (this.isStopping) throw new Failure('unavailable');
    const { STREAMS_MAX, STREAMS_PER_KEY } = this.config;
    const callers = [...this.readers].map(({ context }) => context.caller);
    const own = callers.filter(({ key_id }) => key_id === caller.key_id);
    const details = { retry_after_s: COME_BACK_S };
    if (own.length >= STREAMS_PER_KEY) {
      throw new Failure('rate_limited', `A key holds at most ${STREAMS_PER_KEY} streams open`, details);
    }
    const ofProject = callers.filter(({ project_id }) => project_id === caller.project_id);
    // A project has as many as are left for others.
    if (ofProject.length >= STREAMS_MAX - callers.length)
      throw new Failure('unavailable', 'Too many streams are open', details);
  }

  private admit(reader: StreamReader): void {
    this.readers.add(reader);
    reader.onGone(() => {
      this.readers.delete(reader);
      this.sent += reader.sent;
      this.live.leave(reader);
    });
  }

  /** Where it begins. A place behind the end of its feed is of a row that was deleted, or of another database. */
  private async placesFor(
    { device_id }: StreamQuery,
    { kinds, context }: Pick<StreamReader, 'kinds' | 'context'>,
    known: Places,
  ): Promise<Places> {
    if (device_id !== undefined) await this.timeline.checkDevice(device_id, context);
    const places = await Promise.all(
      kinds.map(async (kind): Promise<[string, FeedPosition]> => {
        const end = await this.missed.endOf(kind, context);
        const place = known[kind] ?? end;
        if (isBehind(place, end)) await this.missed.checkReached(kind, place, context);
        return [kind, place];
      }),
    );
    return Object.fromEntries(places);
  }

  /** @param epochs of the time before its places were looked up, where they are the ends of the tables */
  private async serve(reader: StreamReader, epochs?: Epochs): Promise<void> {
    this.serving += 1;
    if (this.serving === 1) this.live.follow();
    let isAtEnd = epochs !== undefined;
    while (!reader.isGone) {
      try {
        const wasLive = isAtEnd ? await this.stayLive(reader, epochs!) : await this.catchUp(reader);
        if (!wasLive && !isAtEnd) await this.live.changed(TRY_AGAIN_MS);
        isAtEnd = false;
      } catch (error) {
        const passes = error instanceof Failure && error.code === 'unavailable';
        if (passes) await this.live.changed(TRY_AGAIN_MS);
        else this.fail(reader, error);
      }
    }
    this.serving -= 1;
    if (this.serving === 0) await this.live.stop();
  }

  /** What it has missed, then what comes. @returns whether the feeds could take it on */
  private async catchUp(reader: StreamReader): Promise<boolean> {
    const epochs = this.live.epochs();
    const covered = reader.kinds.filter((kind) => this.live.covers(kind, reader.placeIn(kind)));
    const uncovered = reader.kinds.filter((kind) => !covered.includes(kind));
    let isLive = false;
    try {
      await this.missed.readTo(reader, uncovered);
      isLive = await this.stayLive(reader, epochs);
    } finally {
      // The feeds take a reader on with all its kinds or not at all: until then these come from the tables, too.
      if (!isLive) await this.missed.readTo(reader, covered);
    }
    return isLive;
  }

  /** What comes, for as long as nothing is missing. @returns false when something is from the start */
  private async stayLive(reader: StreamReader, epochs: Epochs): Promise<boolean> {
    for (let turn = 0; ; turn += 1) {
      await reader.hasRoom();
      if (reader.isGone) return true;
      const joined = this.live.join(reader, epochs, turn);
      if (joined === 'missing') return false;
      if (joined === 'more') continue;
      await joined;
      return true;
    }
  }

  /** Of those whose rights have changed; or of those whose key is not held any more, when it may be any. */
  private endOf(changed?: ChangedRights): void {
    for (const reader of this.readers) {
      const { key_id, project_id } = reader.context.caller;
      if (!changed) void this.endUnlessHeld(reader);
      else if (changed.key_ids.has(key_id) || changed.project_ids.has(project_id))
        reader.end(rightsChanged());
    }
  }

  private async endUnlessHeld(reader: StreamReader): Promise<void> {
    try {
      const isHeld = await patiently(() => this.keyRing.isHeld(reader.context), PATIENCE_MS);
      if (!isHeld) reader.end(rightsChanged());
    } catch (error) {
      this.fail(reader, error);
    }
  }

  private fail(reader: StreamReader, error: unknown): void {
    this.logger.error(error);
    reader.end(error instanceof Failure ? error : new Failure('internal'));
  }
}

function rightsChanged(): Failure {
  return new Failure('unauthenticated', 'The rights of this key have changed');
}
