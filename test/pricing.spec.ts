import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, queryDatabase } from '#testing';
import { type Answer, type HttpClient } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

interface Change {
  product_id: string;
  previous_price: string | null;
  new_price: string;
  timestamp: string;
  sequence: number;
}

describe('pricing', () => {
  let system: System;
  let project: Project;
  let product_id: string;
  beforeAll(async () => {
    system = await startSystem();
    project = await aProject(system);
  });
  beforeEach(() => {
    product_id = `SKU ${randomUUID()}/blue`;
  });
  afterAll(() => system.stop());

  const set = (price: unknown, rest: Record<string, unknown> = {}, headers?: Record<string, string>) =>
    project.editor.post('/v1/prices', { product_id, price, ...rest }, headers);
  /** With the price written as it is, as no client's JSON keeps the digits of a number. */
  const setWritten = (price: string) =>
    project.editor.post('/v1/prices', `{"product_id":${JSON.stringify(product_id)},"price":${price}}`);
  const ask = (client: HttpClient = project.viewer, query = ''): Promise<Answer> =>
    client.get(`/v1/prices/${encodeURIComponent(product_id)}${query}`);
  const changes = (filter: Record<string, string> = {}, client = project.viewer): Promise<Answer> =>
    client.get(`/v1/prices/changes?${new URLSearchParams({ product_id, ...filter }).toString()}`);
  const chain = async (): Promise<Change[]> => (await changes({ limit: '1000' })).body.changes;
  const storedRows = async (): Promise<unknown> => {
    const [row] = await queryDatabase(
      system.database_url,
      `SELECT (SELECT count(*) FROM pricing.prices) AS prices, (SELECT count(*) FROM pricing.changes) AS changes,
              (SELECT count(*) FROM pricing.idempotency_keys) AS keys`,
    );
    return row;
  };

  describe('of a product', () => {
    it('is accepted with the price before it, and is the price from then on', async () => {
      const first = await set('19.90');
      expect(first.status).toBe(202);
      expect(first.body).toEqual({
        product_id,
        previous_price: null,
        price: '19.90',
        timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        sequence: 1,
        result: 'applied',
      });
      const second = await set('21.50');
      expect(second.body).toMatchObject({ previous_price: '19.90', price: '21.50', sequence: 2 });
      const { result: _, ...price } = second.body;
      expect([(await ask()).status, (await ask()).body]).toEqual([200, price]);
    });

    it.each([
      ['19.90', '19.90'],
      ['0.1', '0.1'],
      ['123456789012.123456', '123456789012.123456'],
      ['123456789012345678', '123456789012345678'],
      ['"123456789012.123456"', '123456789012.123456'],
      ['100', '100'],
      ['1e-05', '0.00001'],
      ['1.50E+2', '150'],
    ])('written as %s keeps its digits: %s', async (written, price) => {
      expect((await setWritten(written)).body.price).toBe(price);
      expect((await ask()).body.price).toBe(price);
      expect((await chain())[0]!.new_price).toBe(price);
    });

    it('is no change when it is the same number', async () => {
      const first = await setWritten('19.90');
      const again = await setWritten('19.9');
      expect([again.status, again.body]).toEqual([202, { ...first.body, result: 'duplicate' }]);
      expect(await chain()).toHaveLength(1);
    });

    it('is changed only from the price that is expected', async () => {
      expect((await set('1', { expected_previous_price: '1' })).body).toMatchObject({
        status: 409,
        code: 'conflict',
        current_price: null,
      });
      expect((await set('1', { expected_previous_price: null })).status).toBe(202);
      const refused = await set('2', { expected_previous_price: '1.01' });
      expect(refused.body).toMatchObject({ status: 409, code: 'conflict', product_id, current_price: '1' });
      expect((await set('2', { expected_previous_price: 1 })).status).toBe(202);
      expect(await chain()).toHaveLength(2);
    });

    it('was another at another time', async () => {
      const { body: first } = await set('1');
      const at = (time: string): Promise<Answer> => ask(project.viewer, `?at=${encodeURIComponent(time)}`);
      await eventually(() => Date.now() > Date.parse(first.timestamp as string) + 1);
      const { body: second } = await set('2');
      expect((await at(first.timestamp as string)).body.price).toBe('1');
      expect((await at(second.timestamp as string)).body.price).toBe('2');
      expect((await at('2999-12-31')).body.price).toBe('2');
      expect((await at('2001-01-01')).status).toBe(404);
    });

    it('has an ETag, which saves reading it again', async () => {
      await set('1');
      const etag = (await ask()).headers.get('etag')!;
      const known = (): Promise<Answer> =>
        project.viewer.get(`/v1/prices/${encodeURIComponent(product_id)}`, { 'if-none-match': etag });
      expect((await known()).status).toBe(304);
      await set('2');
      expect([(await known()).status, (await known()).body.price]).toEqual([200, '2']);
    });

    it('may have any id that can be written', async () => {
      for (const id of ['changes!', 'a b', 'ü/ß', '%2f', '*', '>', 'a.b', '🚗'.repeat(64), "';--", '..']) {
        product_id = id;
        expect([id, (await set('1')).status]).toEqual([id, 202]);
        if (id !== '..') expect((await ask()).body).toMatchObject({ product_id: id, price: '1' });
        expect(await chain()).toHaveLength(1);
      }
    });
  });

  describe('refuses, and stores nothing of', () => {
    it.each([
      ...[
        '-1',
        '0',
        '0.00',
        '-0',
        '1e400',
        '1e-400',
        '1e-7',
        '1234567890123456789',
        '0.0000001',
        '1.1234567',
      ],
      ...[
        '"NaN"',
        '""',
        '" 1"',
        '"1e2"',
        '"1,5"',
        '"+1"',
        '"0x10"',
        '"-1"',
        '"0"',
        '"1e400"',
        '"01"',
        '".5"',
      ],
      ...['"1234567890123456789"', '"0.0000001"', 'null', 'true', '[1]', '{"a":1}'],
    ])('the price %s', async (price) => {
      const before = await storedRows();
      const { status, body } = await setWritten(price);
      expect([status, body.errors]).toEqual([400, [{ pointer: '/price', detail: expect.any(String) }]]);
      expect(await storedRows()).toEqual(before);
    });

    it.each(['NaN', 'Infinity', '01', '.5', '1.', '0x10', '+1'])('%s, which is not JSON', async (price) => {
      const before = await storedRows();
      expect((await setWritten(price)).status).toBe(400);
      expect(await storedRows()).toEqual(before);
    });

    it.each<[string, string, Record<string, unknown>]>([
      ['no product', '/product_id', { product_id: undefined }],
      ['an empty product', '/product_id', { product_id: '' }],
      ['a product of 300 characters', '/product_id', { product_id: 'x'.repeat(300) }],
      ['a control character', '/product_id', { product_id: 'a\nb' }],
      ['a product whose route is the list of changes', '/product_id', { product_id: 'changes' }],
      ['a number for a product', '/product_id', { product_id: 7 }],
      ['no price', '/price', { price: undefined }],
      ['an unexpected price to expect', '/expected_previous_price', { expected_previous_price: '-1' }],
      ['an unknown field', '/currency', { currency: 'EUR' }],
      ['a field of ours', '/sequence', { sequence: 7 }],
      ['another project', '/project_id', { project_id: randomUUID() }],
    ])('%s', async (_, pointer, rest) => {
      const before = await storedRows();
      const { status, body } = await set('1', rest);
      expect([status, body.errors]).toEqual([400, [{ pointer, detail: expect.any(String) }]]);
      expect(await storedRows()).toEqual(before);
    });

    it.each<[string, Record<string, string>]>([
      ['/from', { from: '2026-02-01', to: '2026-01-31' }],
      ['/from', { from: 'yesterday' }],
      ['/to', { to: '2026-02-30' }],
      ['/order', { order: 'up' }],
      ['/limit', { limit: '0' }],
      ['/limit', { limit: '1001' }],
      ['/cursor', { cursor: 'x' }],
      ['/cursor', { cursor: Buffer.from('["2026-01-31T12:00:00.000Z","p"]').toString('base64url') }],
      ['/product_id', { product_id: '' }],
      ['/colour', { colour: 'red' }],
    ])('a query with a bad %s', async (pointer, filter) => {
      const { status, body } = await changes(filter);
      expect([status, body.errors]).toEqual([400, [{ pointer, detail: expect.any(String) }]]);
    });

    it('a time that is none', async () => {
      expect((await ask(project.viewer, '?at=now')).body.errors).toMatchObject([{ pointer: '/at' }]);
    });
  });

  describe('changes', () => {
    it('are listed oldest first, and newest first when asked', async () => {
      for (const price of ['1', '2', '3']) await set(price);
      const listed = await chain();
      expect(
        listed.map(({ previous_price, new_price, sequence }) => [previous_price, new_price, sequence]),
      ).toEqual([
        [null, '1', 1],
        ['1', '2', 2],
        ['2', '3', 3],
      ]);
      expect(Object.keys(listed[0]!)).toEqual([
        'product_id',
        'previous_price',
        'new_price',
        'timestamp',
        'sequence',
      ]);
      expect((await changes({ order: 'desc' })).body.changes).toEqual(listed.toReversed());
    });

    it('are those of a time, from inclusive, to exclusive', async () => {
      await set('1');
      const [{ timestamp }] = (await chain()) as [Change];
      const later = new Date(Date.parse(timestamp) + 1).toISOString();
      const count = async (filter: Record<string, string>): Promise<number> =>
        (await changes(filter)).body.changes.length;
      expect(await count({ from: timestamp, to: later })).toBe(1);
      expect(await count({ from: timestamp, to: timestamp })).toBe(0);
      expect(await count({ from: later })).toBe(0);
      expect(await count({ to: timestamp })).toBe(0);
    });

    it('are walked page by page, each once, while others write', async () => {
      const walked = await aProject(system);
      const write = (nth: number) =>
        walked.editor.post('/v1/prices', { product_id: `p${nth % 5}`, price: `${nth + 1}` });
      for (let nth = 0; nth < 30; nth += 1) await write(nth);
      const before = (await walked.viewer.get('/v1/prices/changes?limit=1000')).body.changes as Change[];
      const seen: Change[] = [];
      let path: string | undefined = '/v1/prices/changes?limit=7';
      for (let nth = 30; path; nth += 1) {
        const page: Answer = await walked.viewer.get(path);
        seen.push(...(page.body.changes as Change[]));
        path = /<(.+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
        expect(path !== undefined).toBe(page.body.next_cursor !== null);
        if (nth < 40) await write(nth);
      }
      expect(seen.slice(0, 30)).toEqual(before);
      expect(new Set(seen.map((change) => `${change.product_id} ${change.sequence}`)).size).toBe(seen.length);
    });

    it('are streamed whole, as NDJSON and as CSV', async () => {
      product_id = 'a "b", c';
      const many = await aProject(system);
      const prices = Array.from({ length: 40 }, (_, index) => `${index + 1}.50`);
      for (const price of prices) await many.editor.post('/v1/prices', { product_id, price });
      const path = `/v1/prices/changes?limit=3&product_id=${encodeURIComponent(product_id)}`;
      const ndjson = await many.viewer.get(path, { accept: 'application/x-ndjson' });
      const rows = (ndjson.body as string).trimEnd().split('\n');
      expect(rows.map((line) => (JSON.parse(line) as Change).new_price)).toEqual(prices);
      const csv = (await many.viewer.get(path, { accept: 'text/csv' })).body as string;
      const lines = csv.trimEnd().split('\r\n');
      expect(lines[0]).toBe('product_id,previous_price,new_price,timestamp,sequence');
      expect(lines[1]).toMatch(/^"a ""b"", c",,1\.50,\d{4}-.+Z,1$/);
      expect(lines).toHaveLength(41);
    });
  });

  describe('with an idempotency key', () => {
    it('answers a repeat by the first answer, although the price has changed since', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      const first = await set('1', {}, headers);
      await set('2');
      const again = await set('1', {}, headers);
      expect(again.body).toEqual(first.body);
      expect([first, again].map((answer) => answer.headers.get('idempotency-replayed'))).toEqual([
        null,
        'true',
      ]);
      expect((await ask()).body.price).toBe('2');
    });

    it('refuses other content with both hashes', async () => {
      const headers = { 'idempotency-key': randomUUID() };
      await set('1', {}, headers);
      const { status, body } = await set('2', {}, headers);
      const hash = expect.stringMatching(/^[\da-f]{64}$/) as string;
      expect([status, body]).toEqual([
        409,
        expect.objectContaining({
          code: 'idempotency_conflict',
          first_content_hash: hash,
          content_hash: hash,
        }),
      ]);
      expect((await ask()).body.price).toBe('1');
    });
  });

  it('belongs to its project alone', async () => {
    await set('1');
    const other = await aProject(system);
    const [foreign, missing] = await Promise.all([ask(other.admin), other.admin.get('/v1/prices/none')]);
    const { request_id: _, ...problem } = foreign.body;
    expect([foreign.status, missing.body]).toEqual([404, expect.objectContaining(problem)]);
    expect((await changes({}, other.admin)).body).toEqual({ changes: [], next_cursor: null });
    expect((await other.editor.post('/v1/prices', { product_id, price: '7' })).body.sequence).toBe(1);
    expect((await ask()).body.price).toBe('1');
  });

  it('is written by admins and editors, read by viewers too, and no matter of devices', async () => {
    const { admin, editor, viewer, device } = project;
    const wish = { product_id, price: '1' };
    const statuses = async (one: HttpClient): Promise<number[]> => [
      (await one.post('/v1/prices', wish)).status,
      (await ask(one)).status,
      (await changes({}, one)).status,
    ];
    expect(await statuses(admin)).toEqual([202, 200, 200]);
    expect(await statuses(editor)).toEqual([202, 200, 200]);
    expect(await statuses(viewer)).toEqual([403, 200, 200]);
    expect(await statuses(device)).toEqual([403, 403, 403]);
    expect(await statuses(system.operator)).toEqual([403, 403, 403]);
  });

  it('makes one chain of what two gateways and two replicas are told at once', async () => {
    const gateway = await system.anotherGateway({ PRICING_IN_FLIGHT: '1000' });
    const replica = await system.pricing.start();
    const other = project.editor.at(gateway.url);
    const posts = Array.from({ length: 200 }, (_, index) =>
      eventually(async () => {
        const wish = { product_id, price: `${index + 1}.25` };
        const answer = await (index % 2 === 0 ? project.editor : other).post('/v1/prices', wish);
        expect(answer.status).toBe(202);
        return answer.body as Change;
      }),
    );
    const answers = await Promise.all(posts);
    const links = await chain();
    expect(links).toHaveLength(200);
    links.forEach((link, index) => {
      expect(link.sequence).toBe(index + 1);
      expect(link.previous_price).toBe(links[index - 1]?.new_price ?? null);
    });
    expect(answers.map(({ sequence }) => sequence).sort((one, two) => one - two)).toEqual(
      links.map(({ sequence }) => sequence),
    );
    await replica.stop();
    await gateway.stop();
  });

  it('takes at least 50 of 100 at once, refuses the others at once, and has every success in a chain', async () => {
    const many = await aProject(system);
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        many.editor.post('/v1/prices', { product_id: `p${index % 50}`, price: `${index + 1}` }),
      ),
    );
    const accepted = answers.filter(({ status }) => status === 202);
    const refused = answers.filter(({ status }) => status !== 202);
    expect(accepted.length).toBeGreaterThanOrEqual(50);
    for (const { status, body, headers } of refused)
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '1']);
    const { body } = await many.viewer.get('/v1/prices/changes?limit=1000');
    const kept = (body.changes as Change[]).map((change) => `${change.product_id} ${change.new_price}`);
    const told = accepted.map((answer) => `${answer.body.product_id} ${answer.body.price}`);
    expect(kept.sort()).toEqual(told.sort());
  });

  it('bounds each of its routes by itself', async () => {
    const gateway = await system.anotherGateway({ PRICING_IN_FLIGHT: '1' });
    const [editor, viewer] = [project.editor.at(gateway.url), project.viewer.at(gateway.url)];
    await set('1');
    const statusesOf = async (send: () => Promise<Answer>): Promise<Set<number>> => {
      const answers = await Promise.all(Array.from({ length: 20 }, send));
      for (const answer of answers.filter(({ status }) => status === 503))
        expect(answer.headers.get('retry-after')).toBe('1');
      return new Set(answers.map(({ status }) => status));
    };
    const price = { product_id, price: '2' };
    expect(await statusesOf(() => editor.post('/v1/prices', price))).toEqual(new Set([202, 503]));
    expect(await statusesOf(() => ask(viewer))).toEqual(new Set([200, 503]));
    expect(await statusesOf(() => changes({}, viewer))).toEqual(new Set([200, 503]));
    const together = [() => editor.post('/v1/prices', price), () => ask(viewer), () => changes({}, viewer)];
    const answers = await Promise.all(together.map((send) => send()));
    expect(answers.map(({ status }) => status)).toEqual([202, 200, 200]);
    await gateway.stop();
  });

  it('leaves room for others beside exports that nobody reads, until their readers hang up', async () => {
    const gateway = await system.anotherGateway({ PRICING_IN_FLIGHT: '4' });
    const [many, other] = [await aProject(system), await aProject(system)];
    // More than what lies between a gateway and a reader who does not read.
    await queryDatabase(
      system.database_url,
      `INSERT INTO pricing.changes (project_id, product_id, timestamp, sequence, id, new_price, transaction_id)
       SELECT '${many.id}', repeat('x', 120) || number, now(), 1, uuidv7(), 1, 0 FROM generate_series(1, 60000) AS number`,
    );
    const openExport = () =>
      fetch(`${gateway.url}/v1/prices/changes`, {
        headers: { authorization: `Bearer ${many.viewer.key!}`, accept: 'application/x-ndjson' },
      });
    const open = [await openExport(), await openExport()];
    expect(open.map(({ status }) => status)).toEqual([200, 200]);
    const third = await openExport();
    expect([third.status, third.headers.get('retry-after')]).toEqual([503, '1']);
    for (const { viewer } of [other, many]) {
      const page = await viewer.at(gateway.url).get('/v1/prices/changes?limit=1');
      expect(page.status).toBe(200);
    }
    await open[0]!.body!.cancel();
    open[0] = await eventually(async () => {
      const again = await openExport();
      expect(again.status).toBe(200);
      return again;
    });
    await Promise.all(open.map(({ body }) => body!.cancel()));
    await gateway.stop();
  });

  it('is unavailable while its service is away, and there again with it', async () => {
    await set('1');
    await system.pricing.stop();
    for (const answer of [await set('2'), await ask(), await changes()])
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    await system.pricing.start();
    await eventually(async () => {
      expect((await set('2')).status).toBe(202);
    });
    expect(await chain()).toHaveLength(2);
  });
});

describe('pricing with an archive', () => {
  it('puts every change into files, too', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-archive-'));
    const system = await startSystem({ PRICING_ARCHIVE_DIR: directory });
    const prices = Array.from({ length: 23 }, (_, index) => `${index + 1}.50`);
    for (const price of prices) await system.admin.post('/v1/prices', { product_id: 'p', price });
    const archived = async (): Promise<Change[]> => {
      const names = (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
      const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8')));
      return texts.flatMap((text) => JSON.parse(text) as Change[]);
    };
    await eventually(async () => (await archived()).length >= 23);
    const { body } = await system.admin.get('/v1/prices/changes?product_id=p');
    const expected = (body.changes as Change[]).map(({ sequence: _, ...change }) => change);
    expect(await archived()).toEqual(expected);
    await system.stop();
    await rm(directory, { recursive: true });
  });
});
