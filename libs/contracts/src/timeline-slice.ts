import { Reply } from './call.js';
import { type EntrySlice } from './timeline.js';

/** A slice ends early rather than grow past this: what it has no room for is asked for again. */
const SLICE_BYTES = 1024 * 1024;

/**
 * The slice of a walk: at most `limit` of `rows`, one more of which tells that there is more.
 * @param jsonOf a row as the JSON of an entry
 */
export async function sliceOf<Row>(
  rows: AsyncIterable<Row> | Iterable<Row>,
  limit: number,
  jsonOf: (row: Row) => string,
  placeOf: (row: Row) => string,
): Promise<Reply<EntrySlice>> {
  const entries: string[] = [];
  const places: string[] = [];
  let bytes = 0;
  let has_more = false;
  for await (const row of rows) {
    const json = jsonOf(row);
    bytes += Buffer.byteLength(json);
    has_more = entries.length === limit || (entries.length > 0 && bytes > SLICE_BYTES);
    if (has_more) break;
    entries.push(json);
    places.push(placeOf(row));
  }
  const rest = JSON.stringify({ places, has_more });
  return Reply.json(`{"entries":[${entries.join(',')}],${rest.slice(1)}`);
}
