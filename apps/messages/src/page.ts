import { Reply } from '#contracts';
import { encodeCursor } from '#database';

/** A page ends early rather than grow past this: with `next_cursor`, nothing is lost. */
const PAGE_BYTES = 4 * 1024 * 1024;

/** A row of a list in its order: its JSON, and where a walk goes on after it. */
interface Row {
  created_at: string;
  id: string;
}

/** The first `limit` of `rows`, one more of which tells that there is a next page. */
export function pageOf<Kept extends Row, Page>(
  name: string,
  rows: Kept[],
  limit: number,
  jsonOf: (row: Kept) => string,
): Reply<Page> {
  const jsons: string[] = [];
  let bytes = 0;
  for (const row of rows.slice(0, limit)) {
    const json = jsonOf(row);
    bytes += Buffer.byteLength(json);
    if (jsons.length > 0 && bytes > PAGE_BYTES) break;
    jsons.push(json);
  }
  const last = jsons.length < rows.length ? rows[jsons.length - 1]! : undefined;
  const next_cursor = last && encodeCursor([last.created_at, last.id]);
  const json = `{"${name}":[${jsons.join(',')}],"next_cursor":${JSON.stringify(next_cursor ?? null)}}`;
  return Reply.json(json, { next_cursor });
}
