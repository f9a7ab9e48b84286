import { Reply } from '#contracts';
import { encodeCursor, type Position } from './cursor.js';

/** A page ends early rather than grow past this: with `next_cursor`, nothing is lost. */
export const PAGE_BYTES = 4 * 1024 * 1024;
/** A page ends early rather than look at more rows than this for those that belong to it. */
const PAGE_ROWS = 5_000;

/** Rows of a list as JSON, and where the next page begins when there may be more. */
export interface Page {
  rows: string[];
  /** Of all rows together, in UTF-8. */
  bytes: number;
  next_cursor?: string;
}

/**
 * At most `limit` of the rows of a walk, in its order. It ends early at 4 MiB, but never empty for that, or after 5,000
 * rows.
 * @param chunks as they are fetched, as far as one more than belong to the page: it tells that there is a next one
 * @param jsonOf undefined for a row that does not belong to the list
 * @param positionOf where the walk goes on after a row
 */
export async function pageOf<Row>(
  chunks: AsyncIterable<Row[]> | Iterable<Row[]>,
  limit: number,
  jsonOf: (row: Row) => string | undefined,
  positionOf: (row: Row) => Position,
): Promise<Page> {
  const page: string[] = [];
  let bytes = 0;
  let seen = 0;
  let last: Row | undefined;
  // By the chunk: a step that waits at each row would keep the rows of all pages under way alive together.
  for await (const rows of chunks) {
    for (const row of rows) {
      const json = jsonOf(row);
      const size = json === undefined ? 0 : Buffer.byteLength(json);
      const isFull =
        json !== undefined && (page.length === limit || (page.length > 0 && bytes + size > PAGE_BYTES));
      if (isFull || seen === PAGE_ROWS)
        return { rows: page, bytes, next_cursor: encodeCursor(positionOf(last!)) };
      if (json !== undefined) page.push(json);
      bytes += size;
      seen += 1;
      last = row;
    }
  }
  return { rows: page, bytes };
}

const COMMA = 0x2c;

/**
 * The answer of a list: its page under the list's name, what else belongs to it, and `next_cursor`. Rows are written one by
 * one: in a text of all of them, one letter beyond Latin-1 would make each letter of the page two bytes.
 */
export function listReply<List>(
  name: string,
  { rows, bytes, next_cursor }: Page,
  more: object = {},
): Reply<List> {
  const begin = `{"${name}":[`;
  const end = `],${JSON.stringify({ ...more, next_cursor: next_cursor ?? null }).slice(1)}`;
  const commas = Math.max(rows.length - 1, 0);
  const json = Buffer.allocUnsafe(begin.length + bytes + commas + Buffer.byteLength(end));
  let at = json.write(begin);
  for (const [index, row] of rows.entries()) {
    if (index > 0) json[at++] = COMMA;
    at += json.write(row, at);
  }
  json.write(end, at);
  return Reply.json(json, { next_cursor });
}
