import { once } from 'node:events';
import { type ServerResponse } from 'node:http';
import { type FastifyReply } from 'fastify';
import {
  concerns,
  Failure,
  isBehind,
  maySee,
  type CallContext,
  type EntryKind,
  type FeedHead,
  type FeedPage,
  type FeedPosition,
} from '#contracts';
import { problemOf } from '../problem.filter.js';
import { type EntryScope } from '../timeline-scope.js';
import { type TailBatch } from './feed-tail.js';
import { eventText } from './live-entry.js';
import { placeText, placeWithoutRow, type Places } from './stream-id.js';

export interface ReaderLimits {
  buffer_bytes: number;
  ping_ms: number;
}

export const STREAM_HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store',
  // Of nginx and others like it: hand on what comes as it comes.
  'x-accel-buffering': 'no',
};
/** How long a client waits before it comes back. */
const RETRY_MS = 1_000;
/** For how long a client that has stopped reading may still fetch why its stream ended. */
const LINGER_MS = 10_000;
/** A client that leaves what it was sent lying for so many pings has gone, or might as well have. */
const PINGS_UNREAD = 2;

/** One open stream, as `text/event-stream` of the HTML standard: what its client has got, and how to send it more. */
export class StreamReader {
  readonly kinds: readonly EntryKind[];
  readonly device_id?: string;
  private readonly raw: ServerResponse;
  private readonly leaving = new AbortController();
  private places: Places = {};
  /** What it may know of them: never a row that was not sent to it. */
  private readonly tellable: Places = {};
  /** The same as parts of its id. */
  private readonly texts = new Map<EntryKind, string>();
  private toldId = '';
  private hasBegun = false;
  private unread = 0;
  private entries = 0;
  private pinging?: NodeJS.Timeout;
  private lingering?: NodeJS.Timeout;

  constructor(
    private readonly reply: FastifyReply,
    readonly context: CallContext,
    { kinds, device_id }: EntryScope,
    private readonly expires_at_ms: number,
    private readonly limits: ReaderLimits,
  ) {
    this.kinds = kinds;
    this.device_id = device_id;
    this.raw = reply.raw;
    this.raw.once('close', () => {
      this.leaving.abort();
      clearInterval(this.pinging);
      clearTimeout(this.lingering);
    });
    // Who hung up while its key was looked up has said so already.
    if (this.raw.closed) this.leaving.abort();
  }

  /** Nothing is sent to it any more. */
  get isGone(): boolean {
    return this.leaving.signal.aborted;
  }

  get sent(): number {
    return this.entries;
  }

  onGone(listener: () => void): void {
    if (this.isGone) listener();
    else this.leaving.signal.addEventListener('abort', listener, { once: true });
  }

  reads(kind: EntryKind): boolean {
    return this.texts.has(kind);
  }

  /** Up to where it has all of a kind that it may see. */
  placeIn(kind: EntryKind): FeedPosition {
    return this.places[kind]!;
  }

  /** Opens the stream. The first id comes at once: whoever is cut off before the first entry can go on from there. */
  begin(places: Places): void {
    for (const kind of this.kinds) {
      this.places[kind] = places[kind]!;
      this.tell(kind, places[kind]!);
    }
    this.hasBegun = true;
    this.reply.headers(STREAM_HEADERS).hijack();
    // Silence is no fault here, and pings may be further apart than other answers may stand still.
    this.raw.setTimeout(0);
    // While it catches up there is always a page to fetch, though it has fetched many.
    this.raw.on('drain', () => (this.unread = 0));
    this.raw.writeHead(200, this.reply.getHeaders() as Record<string, string>);
    this.write(`retry: ${RETRY_MS}\n${this.newId()}\n`);
    this.pinging = setInterval(() => this.ping(), this.limits.ping_ms);
  }

  /** Takes what it has missed. */
  takePage(kind: EntryKind, { entries, position }: FeedPage): void {
    let text = '';
    for (const { position: place, entry } of entries) {
      this.tell(kind, place);
      text += `${this.newId()}${eventText(kind, JSON.stringify(entry))}`;
    }
    this.entries += entries.length;
    this.moveTo(kind, position);
    this.write(text);
  }

  /** Takes what it may see of a batch and has not got yet. */
  take(kind: EntryKind, { position, entries }: TailBatch): void {
    const place = this.placeIn(kind);
    let text = '';
    for (const { head, sent } of entries.filter((one) => this.sees(kind, one.head))) {
      if (!isBehind(head.position, place)) continue;
      this.tell(kind, head.position, sent.place);
      text += `${this.newId()}${sent.text}`;
      this.entries += 1;
    }
    if (isBehind(position, place)) this.moveTo(kind, position);
    this.write(text);
  }

  /** As `take`, unless it has fallen too far behind: then its stream ends, and it goes on from its last id. */
  takeLive(kind: EntryKind, batch: TailBatch): void {
    if (this.raw.writableLength > this.limits.buffer_bytes) this.end(tooSlow());
    else this.take(kind, batch);
  }

  /** Resolves when it has read most of what it was sent, or is gone. */
  async hasRoom(): Promise<void> {
    if (!this.raw.writableNeedDrain || this.isGone) return;
    await once(this.raw, 'drain', { signal: this.leaving.signal }).catch(() => undefined);
  }

  /** Ends the stream; a problem is its last event. */
  end(problem?: Failure, linger_ms = LINGER_MS): void {
    if (this.isGone) return;
    this.leaving.abort();
    clearInterval(this.pinging);
    if (!this.hasBegun) return;
    const told = problem && JSON.stringify(problemOf(problem, this.context.request_id));
    this.raw.end(told && `event: problem\ndata: ${told}\n\n`);
    this.lingering = setTimeout(() => this.raw.destroy(), linger_ms);
  }

  private sees(kind: EntryKind, head: FeedHead): boolean {
    const { device_id, context } = this;
    return maySee(context.caller, kind, head) && (device_id === undefined || concerns(device_id, head));
  }

  private moveTo(kind: EntryKind, position: FeedPosition): void {
    this.places[kind] = position;
    const place = placeWithoutRow(position);
    if (isBehind(place, this.tellable[kind]!)) this.tell(kind, place);
  }

  private tell(kind: EntryKind, place: FeedPosition, text = placeText(kind, place)): void {
    this.tellable[kind] = place;
    this.texts.set(kind, text);
  }

  private newId(): string {
    this.toldId = [...this.texts.values()].join();
    return `id: ${this.toldId}\n`;
  }

  /** A comment; and where it stands by now, so that it need not look again at what was not for it. */
  private ping(): void {
    this.unread = this.raw.writableNeedDrain ? this.unread + 1 : 0;
    if (this.unread > PINGS_UNREAD) {
      this.end(tooSlow());
      return;
    }
    const toldId = this.toldId;
    const id = this.newId();
    this.write(`: ping\n${toldId === this.toldId ? '' : id}\n`);
  }

  private write(text: string): void {
    if (this.isGone || text === '') return;
    if (Date.now() >= this.expires_at_ms) this.end(new Failure('unauthenticated', 'This key has expired'));
    else this.raw.write(text);
  }
}

function tooSlow(): Failure {
  return new Failure('unavailable', 'You read too slowly: come back and go on from your last id');
}
