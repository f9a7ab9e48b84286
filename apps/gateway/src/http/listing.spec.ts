import { AsyncLocalStorage } from 'node:async_hooks';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { type Readable } from 'node:stream';
import { json } from 'node:stream/consumers';
import { ApiProperty } from '@nestjs/swagger';
import fastify, { type FastifyInstance } from 'fastify';
import fc from 'fast-check';
import { Failure, Reply } from '#contracts';
import { list } from './listing.js';

class Fruit {
  @ApiProperty() name!: string;
  @ApiProperty() note!: string | null;
  @ApiProperty() data!: unknown;
}

class Nut {
  @ApiProperty() name!: string;
  @ApiProperty() shell!: string;
}

interface FruitPage {
  fruits: Fruit[];
  next_cursor: string | null;
}

/** Reads RFC 4180 as its grammar says, so that quoting is judged by a reader and not by its writer. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [];
  for (let at = 0, row: string[] = []; at < text.length;) {
    const [whole, quoted, bare] = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))/.exec(text.slice(at))!;
    row.push(quoted === undefined ? bare! : quoted.replaceAll('""', '"'));
    at += whole.length;
    if (text[at] === ',') at += 1;
    else if (text.startsWith('\r\n', at)) {
      rows.push(row);
      row = [];
      at += 2;
    } else throw new Error(`no CSV at ${at}: ${text.slice(at, at + 20)}`);
  }
  return rows;
}

describe('a list', () => {
  let server: FastifyInstance;
  let fruits: Fruit[];
  let asked: { limit?: number; cursor?: string }[];
  let failing_cursor: string | undefined;
  let isHeld: boolean;
  const scope = new AsyncLocalStorage<string>();
  let scopes: (string | undefined)[];

  beforeAll(async () => {
    server = fastify();
    server.decorate('isHeld', () => Promise.resolve(isHeld));
    server.addHook('preHandler', ({ url }, _, done) => scope.run(url, done));
    server.get('/slow', async () => {
      await new Promise((resolve) => setTimeout(resolve, 200));
      return 'slow';
    });
    server.get<{ Querystring: { limit?: number; cursor?: string } }>('/fruits', (request, reply) => {
      const page = async (query: { limit?: number; cursor?: string }): Promise<Reply<FruitPage>> => {
        asked.push(query);
        scopes.push(scope.getStore());
        if (failing_cursor !== undefined && query.cursor === failing_cursor) throw new Failure('unavailable');
        const start = Number(query.cursor ?? 0);
        const end = start + 3;
        return Reply.of({
          fruits: fruits.slice(start, end),
          next_cursor: end < fruits.length ? `${end}` : null,
        });
      };
      const listing = { query: request.query, page, rows: (one: FruitPage) => one.fruits, row: Fruit };
      return list(listing, request, reply).then((answer): Readable | string =>
        answer instanceof Reply ? (answer.json as string) : answer,
      );
    });
    await server.listen({ port: 0, host: '127.0.0.1' });
  });
  beforeEach(() => {
    asked = [];
    scopes = [];
    isHeld = true;
    failing_cursor = undefined;
    fruits = [];
  });
  afterAll(() => server.close());

  const get = (accept: string, path = '/fruits') =>
    fetch(new URL(path, server.listeningOrigin), { headers: { accept } });
  const someFruits = (count: number): Fruit[] =>
    Array.from({ length: count }, (_, index) => ({ name: `fruit ${index}`, note: null, data: { index } }));

  it.each(['application/json', '*/*', 'text/html'])(
    'is a page of JSON for who accepts %s',
    async (accept) => {
      fruits = someFruits(5);
      expect(await (await get(accept)).json()).toEqual({ fruits: fruits.slice(0, 3), next_cursor: '3' });
    },
  );

  it('is a page of JSON for who does not say what is accepted', async () => {
    fruits = someFruits(5);
    const asking = request(new URL('/fruits', server.listeningOrigin)).end();
    const [answer] = (await once(asking, 'response')) as [IncomingMessage];
    expect(await json(answer)).toEqual({ fruits: fruits.slice(0, 3), next_cursor: '3' });
  });

  it.each([
    ['application/json, text/csv;q=0.1', 'application/json'],
    ['application/json;q=0.1, text/csv', 'text/csv'],
    ['application/x-ndjson;q=0, */*', 'application/json'],
    ['text/html, text/*;q=0.5', 'text/csv'],
    ['Application/X-NDJSON', 'application/x-ndjson'],
    ['text/csv; charset=utf-8', 'text/csv'],
    [';q=', 'application/json'],
  ])('for who accepts %s is of type %s', async (accept, type) => {
    fruits = someFruits(2);
    const { headers } = await get(accept);
    // What the list did not say itself is this server's word for a text.
    expect(headers.get('content-type')).toMatch(type === 'application/json' ? /^text\/plain/ : type);
    expect(headers.get('vary')).toBe('accept');
  });

  it('is all of it as NDJSON, a row a line, whatever the limit', async () => {
    fruits = someFruits(8);
    const answer = await get('application/x-ndjson', '/fruits?limit=1');
    expect(answer.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = (await answer.text()).split('\n');
    expect(lines.pop()).toBe('');
    expect(lines.map((line) => JSON.parse(line) as Fruit)).toEqual(fruits);
    expect(asked.map(({ cursor }) => cursor)).toEqual([undefined, '3', '6']);
  });

  it('is nothing as NDJSON, and a line of names as CSV, when there are no rows', async () => {
    expect(await (await get('application/x-ndjson')).text()).toBe('');
    expect(await (await get('text/csv')).text()).toBe('name,note,data\r\n');
  });

  it('is CSV that a reader reads back, whatever the cells hold', async () => {
    const cell = fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', '\n', ' ', 'é', '😀', "'", ';') });
    const rows = fc.array(
      fc.record({
        name: cell,
        note: fc.option(cell),
        data: fc.oneof(fc.dictionary(cell, cell), fc.array(cell)),
      }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(rows, async (written) => {
        fruits = written;
        const [head, ...lines] = readCsv(await (await get('text/csv')).text());
        expect(head).toEqual(['name', 'note', 'data']);
        expect(lines).toEqual(
          written.map(({ name, note, data }) => [name, note ?? '', JSON.stringify(data)]),
        );
      }),
      { numRuns: 50 },
    );
  });

  it('of several kinds of rows is CSV with the columns of all', async () => {
    const other = fastify();
    const rows: object[] = [
      { name: 'walnut', shell: 'hard' },
      { name: 'fig', note: 'ripe', data: 1 },
    ];
    const page = (): Promise<Reply<{ next_cursor: null }>> =>
      Promise.resolve(Reply.of({ next_cursor: null }));
    other.get('/food', (request, reply) =>
      list({ query: {}, page, rows: () => rows, row: [Fruit, Nut] }, request, reply),
    );
    const { body } = await other.inject({ url: '/food', headers: { accept: 'text/csv' } });
    expect(readCsv(body)).toEqual([
      ['name', 'note', 'data', 'shell'],
      ['walnut', '', '', 'hard'],
      ['fig', 'ripe', '1', ''],
    ]);
  });

  it.each(['application/x-ndjson', 'text/csv'])(
    'answers HEAD like GET for who accepts %s, and is not walked for it',
    async (accept) => {
      failing_cursor = '6';
      fruits = someFruits(9);
      const head = (path: string) =>
        fetch(new URL(path, server.listeningOrigin), { method: 'HEAD', headers: { accept } });
      const answers = [await head('/fruits'), await head('/fruits'), await head('/fruits?cursor=6')];
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 500]);
      expect(answers[0]!.headers.get('content-type')).toBe(`${accept}; charset=utf-8`);
      expect(asked.map(({ cursor }) => cursor)).toEqual([undefined, undefined, '6']);
    },
  );

  it('that fails before its first row is an ordinary failure', async () => {
    failing_cursor = '3';
    fruits = someFruits(9);
    expect((await get('application/x-ndjson', '/fruits?cursor=3')).status).toBe(500);
  });

  it('that fails later breaks off, so that nobody takes a part for the whole', async () => {
    failing_cursor = '6';
    fruits = someFruits(9);
    const answer = await get('application/x-ndjson');
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
  });

  it('breaks off when its key is good no more', async () => {
    fruits = someFruits(9);
    isHeld = false;
    const answer = await get('text/csv');
    expect(answer.status).toBe(200);
    await expect(answer.text()).rejects.toThrow();
    expect(asked).toHaveLength(1);
  });

  it('is asked for by its own request to its end, whatever other request of the connection was before it', async () => {
    // Larger than what is read ahead.
    fruits = someFruits(9).map((fruit) => ({ ...fruit, data: 'x'.repeat(100_000) }));
    const { port } = server.server.address() as AddressInfo;
    const socket = connect(port, '127.0.0.1');
    let answers = '';
    socket.on('data', (chunk) => (answers += chunk.toString()));
    socket.write('GET /slow HTTP/1.1\r\nHost: x\r\n\r\n');
    socket.write(
      'GET /fruits HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\nConnection: close\r\n\r\n',
    );
    await once(socket, 'close');
    expect(answers).toContain('fruit 8');
    expect(scopes).toEqual(['/fruits', '/fruits', '/fruits']);
  });
});
