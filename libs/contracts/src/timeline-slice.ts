import { Reply } from './call.js';
import { type EntrySlice } from './timeline.js';

/** A slice ends early rather than grow past this: what it has no room for is asked for again. */
const SLICE_BYTES = 1024 * 1024;

/**
 * The slice of a walk: at most `limit` of its rows, one more of which tells that there is more.
 * @param chunks the rows as they are fetched
 * @param jsonOf a row as the JSON of an entry
 */
export async function sliceOf<Row>(
  chunks: AsyncIterable<Row[]> | Iterable<Row[]>,
  limit: number,
  jsonOf: (row: Row) => string,
  placeOf: (row: Row) => string,
): Promise<Reply<EntrySlice>> {
  const entries: string[] = [];
  const places: string[] = [];
  let bytes = 0;
  const reply = (has_more: boolean): Reply<EntrySlice> => {
    const rest = JSON.stringify({ places, has_more });
    return Reply.json(`{"entries":[${entries.join(',')}],${rest.slice(1)}`);
  };
  for await (const rows of chunks) {
    for (const row of rows) {
      const json = jsonOf(row);
      bytes += Buffer.byteLength(json);
      if (entries.length === limit || (entries.length > 0 && bytes > SLICE_BYTES)) return reply(true);
      entries.push(json);
      places.push(placeOf(row));
    }
  }
  return reply(false);
}
