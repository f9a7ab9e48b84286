import {
  isBehind,
  concerns,
  Failure,
  maySee,
  Reply,
  type Call,
  type FeedPage,
  type FeedQuestion,
} from '#contracts';
import { Feed, isLast, nextLimit, type Database } from '#database';
import { entryOf, type FeedSource } from './feed-source.js';

/** Rows read at a time, of which a caller may see all or none: few at first, as they may be large. */
const ROWS_AT_FIRST = 32;
const ROWS_A_READ = 256;
const READS = 8;
/** A page ends with the entry that takes it past this. */
const PAGE_BYTES = 256 * 1024;

/** Answers from the database what a reader of the stream has missed, with the same rule of who may see what. */
export class FeedReader<Row extends object> {
  private readonly feed: Feed<Row>;

  constructor(
    private readonly database: Database,
    private readonly source: FeedSource<Row>,
  ) {
    this.feed = new Feed(source);
  }

  /** @throws Failure `invalid` behind a position that is of another database */
  async read({ caller, request }: Call<FeedQuestion>): Promise<Reply<FeedPage>> {
    const { after, device_id, limit } = request;
    if (after === null) return pageOf([], await this.feed.end(this.database));
    const page: string[] = [];
    let bytes = 0;
    let position = after;
    let rows = ROWS_AT_FIRST;
    for (let read = 0; read < READS; read += 1) {
      const found = await this.feed.ofProject(this.database, caller.project_id, position, rows);
      for (const row of found.rows) {
        const { head, body } = entryOf(this.source, row);
        const isAsked = device_id === undefined || concerns(device_id, head);
        if (isAsked && maySee(caller, this.source.kind, head)) {
          if (page.length === limit || bytes > PAGE_BYTES) return pageOf(page, position);
          const json = `{"position":${JSON.stringify(head.position)},"entry":${body as string}}`;
          bytes += Buffer.byteLength(json);
          page.push(json);
        }
        position = head.position;
      }
      // Where the feed ends is before a position whose row was the last and has been deleted.
      if (isBehind(position, found.position) && (await this.feed.isAhead(this.database, position))) {
        throw Failure.invalid({ pointer: '/after', detail: 'must be a position in this feed' });
      }
      if (isBehind(found.position, position)) position = found.position;
      if (isLast(found, rows)) break;
      rows = Math.min(nextLimit(found), ROWS_A_READ);
    }
    return pageOf(page, position);
  }
}

function pageOf(entries: string[], position: [string, string]): Reply<FeedPage> {
  return Reply.json(`{"entries":[${entries.join(',')}],"position":${JSON.stringify(position)}}`);
}
