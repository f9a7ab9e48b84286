import { Readable } from 'node:stream';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { type Constructor, type Reply } from '#contracts';

/** How a list is walked: a page at a time, `rows` of each. */
export interface Listing<Query, Page, Row> {
  query: Query;
  page: (query: Query) => Promise<Reply<Page>>;
  rows: (page: Page) => Row[];
  /** The declared class of a row, or those of all kinds of rows: their fields are the columns of CSV. */
  row: Constructor<Row> | readonly Constructor<Row>[];
}

type Format = 'application/json' | 'application/x-ndjson' | 'text/csv';

const ROWS_A_PAGE = 1000;

/**
 * One page as JSON, or with `Accept: application/x-ndjson` or `text/csv` the whole result, streamed page by page
 * as fast as the client reads. What fails before the first row is an ordinary problem; what fails later cuts the
 * connection, so that nobody takes a part for the whole. HEAD asks for the first page alone.
 */
export async function list<
  Query extends object,
  Page extends { next_cursor: string | null },
  Row extends object,
>(
  { query, page, rows, row }: Listing<Query, Page, Row>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<Reply<Page> | Readable> {
  const format = formatOf(request.headers.accept ?? '');
  if (format === 'application/json') return page(query);

  const whole = { ...query, limit: ROWS_A_PAGE };
  const first = (await page(whole)).body;
  const columns = [...new Set([row].flat().flatMap(columnsOf))];
  async function* lines(): AsyncGenerator<string> {
    if (format === 'text/csv') yield `${columns.join(',')}\r\n`;
    for (let current = first; ;) {
      yield rows(current)
        .map((one) => (format === 'text/csv' ? csvLine(columns, one) : `${JSON.stringify(one)}\n`))
        .join('');
      if (current.next_cursor === null) return;
      current = (await page({ ...whole, cursor: current.next_cursor })).body;
    }
  }
  reply.header('content-type', `${format}; charset=utf-8`);
  // Nobody reads what HEAD is answered: the pages would follow each other unheld, after the answer.
  return Readable.from(request.method === 'HEAD' ? [] : lines(), { objectMode: false });
}

function formatOf(accept: string): Format {
  if (accept.includes('application/x-ndjson')) return 'application/x-ndjson';
  return accept.includes('text/csv') ? 'text/csv' : 'application/json';
}

/** Names of the fields that a class declares for OpenAPI, in their order. */
function columnsOf(type: Constructor<object>): string[] {
  const names = Reflect.getMetadata('swagger/apiModelPropertiesArray', type.prototype as object) as string[];
  return names.map((name) => name.slice(1));
}

/** RFC 4180. Objects are cells of JSON; null is an empty cell. */
function csvLine(columns: string[], row: object): string {
  const cells = columns.map((column) => {
    const value = (row as Record<string, unknown>)[column] ?? '';
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  });
  return `${cells.join(',')}\r\n`;
}
