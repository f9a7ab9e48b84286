import { type EntryKind, type FeedHead } from '#contracts';
import { type FeedEntry } from '#feeds';
import { placeText } from './stream-id.js';

/** JSON of a service may have them between tokens; a field of an event ends at one. */
const LINE_ENDS = /[\r\n]+/g;

/** What an entry is sent as, behind its id. */
export function eventText(kind: EntryKind, json: string): string {
  return `event: ${kind}\ndata: ${json.replace(LINE_ENDS, ' ')}\n\n`;
}

/** An entry as it comes from a feed: written out once for all who see it, and not before somebody does. */
export class LiveEntry {
  readonly head: FeedHead;
  private readonly body: FeedEntry['body'];
  private written?: { place: string; text: string };

  constructor(
    readonly kind: EntryKind,
    { head, body }: FeedEntry,
  ) {
    this.head = head;
    this.body = body;
  }

  get bytes(): number {
    return this.body.length;
  }

  get sent(): { place: string; text: string } {
    return (this.written ??= {
      place: placeText(this.kind, this.head.position),
      text: eventText(
        this.kind,
        typeof this.body === 'string' ? this.body : Buffer.from(this.body).toString(),
      ),
    });
  }
}
