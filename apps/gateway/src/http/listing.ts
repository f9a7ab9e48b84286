import { AsyncLocalStorage } from 'node:async_hooks';
import { Readable } from 'node:stream';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import Negotiator from 'negotiator';
import { Failure, type Constructor, type Reply } from '#contracts';
import { type AuthenticatedRequest } from '../auth/authentication.js';
import { type Principal } from '../auth/principal.js';
import { NDJSON } from './ndjson-body.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the key of a request that lasts is still good. */
    isHeld(principal: Principal): Promise<boolean>;
  }
}

/** How a list is walked: a page at a time, `rows` of each. */
export interface Listing<Query, Page, Row> {
  query: Query;
  page: (query: Query) => Promise<Reply<Page>>;
  rows: (page: Page) => Row[];
  /** The declared class of a row, or those of all kinds of rows: their fields are the columns of CSV. */
  row: Constructor<Row> | readonly Constructor<Row>[];
}

const JSON_PAGE = 'application/json; charset=utf-8';
const NDJSON_ROWS = `${NDJSON}; charset=utf-8`;
const CSV_ROWS = 'text/csv; charset=utf-8';

/** What nearly all clients say that they accept, which takes JSON: not worth a look at its parts and their weights each time. */
const TAKES_JSON = new Set([undefined, '*/*', 'application/json']);

const ROWS_A_PAGE = 1000;

/**
 * One page as JSON, or the whole result as NDJSON or CSV where `Accept` prefers one of them (RFC 9110, section 12.5.1),
 * streamed page by page as fast as the client reads, for as long as its key is good. What fails before the first row is an
 * ordinary problem; what fails later cuts the connection, so that nobody takes a part for the whole. HEAD asks for the first
 * page alone.
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
  reply.header('vary', 'accept');
  const format = formatOf(request);
  if (format === JSON_PAGE) return page(query);

  const whole = { ...query, limit: ROWS_A_PAGE };
  const first = (await page(whole)).body;
  const columns = [...new Set([row].flat().flatMap(columnsOf))];
  const { principal } = request as AuthenticatedRequest;
  // What is asked for while the answer is written is asked in the context of whoever makes room for it: that is not
  // always this request.
  const inContext = AsyncLocalStorage.snapshot();
  const next = async (cursor: string): Promise<Page> => {
    if (!(await request.server.isHeld(principal))) throw new Failure('unauthenticated');
    return (await page({ ...whole, cursor })).body;
  };
  async function* lines(): AsyncGenerator<string> {
    if (format === CSV_ROWS) yield `${columns.join(',')}\r\n`;
    for (let current = first; ;) {
      yield rows(current)
        .map((one) => (format === CSV_ROWS ? csvLine(columns, one) : `${JSON.stringify(one)}\n`))
        .join('');
      if (current.next_cursor === null) return;
      current = await inContext(next, current.next_cursor);
    }
  }
  reply.header('content-type', format);
  // Nobody reads what HEAD is answered: the pages would follow each other unheld, after the answer.
  return Readable.from(request.method === 'HEAD' ? [] : lines(), { objectMode: false });
}

/** Whether a list is answered with the whole result, as a stream. */
export function isExport(request: FastifyRequest): boolean {
  return formatOf(request) !== JSON_PAGE;
}

/** JSON also for who accepts none of them. */
function formatOf({ headers }: FastifyRequest): string {
  if (TAKES_JSON.has(headers.accept)) return JSON_PAGE;
  return new Negotiator({ headers }).mediaType([JSON_PAGE, NDJSON_ROWS, CSV_ROWS]) ?? JSON_PAGE;
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
