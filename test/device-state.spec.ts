import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { eventually } from '#testing';
import { ROOT } from './apps.js';
import { type HttpClient } from './http-client.js';
import { startSystem, type System } from './system.js';

const DAY_MS = 86_400_000;
const nested = (depth: number): object => (depth === 1 ? {} : { a: nested(depth - 1) });

describe('device state', () => {
  let system: System;
  let admin: HttpClient;
  let device_id: string;
  let path: string;

  beforeAll(async () => {
    system = await startSystem();
    admin = system.admin;
  });
  beforeEach(() => {
    device_id = `pump ${randomUUID()}`;
    path = pathOf(device_id);
  });
  afterAll(() => system.stop());

  const pathOf = (id: string): string => `/v1/devices/${encodeURIComponent(id)}/state`;
  const put = (at: string, body: unknown, headers = {}) => admin.send('PUT', at, body, headers);
  const aMember = async (role: string): Promise<HttpClient> => {
    const { body } = await admin.post('/v1/members', { email: `${randomUUID()}@example.com`, role });
    return admin.as(body.key as string);
  };
  const aDevice = async (id: string, labels = {}): Promise<HttpClient> =>
    admin.as((await admin.post('/v1/devices', { id, labels })).body.key as string);
  const anotherProject = async (): Promise<HttpClient> =>
    admin.as((await system.operator.post('/v1/projects', { name: 'south' })).body.admin_key as string);

  it('is merged from patches, and read back', async () => {
    const first = await admin.patch(path, { data: { on: true, speed: { set: 3, real: 2 } } });
    expect([first.status, first.headers.get('etag')]).toEqual([200, '"1"']);
    const second = await admin.patch(path, { data: { speed: { real: 3 }, on: null } });
    expect(second.body).toEqual({
      data: { current: { speed: { set: 3, real: 3 } } },
      version: 2,
      result: 'applied',
      duplicates: 0,
      updated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    const read = await admin.get(path);
    expect(read.body).toEqual({
      device_id,
      data: { current: { speed: { set: 3, real: 3 } } },
      version: 2,
      duplicates: 0,
      updated_at: second.body.updated_at,
      first_seen_at: first.body.updated_at,
      last_seen_at: second.body.updated_at,
    });
  });

  it('is replaced by PUT', async () => {
    await admin.patch(path, { data: { a: 1, b: 2 } });
    expect((await put(path, { data: { c: 3 } })).body).toMatchObject({
      version: 2,
      result: 'applied',
      data: { current: { c: 3 } },
    });
    expect((await put(path, { data: { c: 3 } })).body).toMatchObject({ version: 2, result: 'duplicate' });
  });

  it('takes a body that is the patch itself where its type says so', async () => {
    const type = { 'content-type': 'application/merge-patch+json' };
    const patched = await admin.patch(path, { data: 1, timestamp: 'x' }, type);
    expect(patched.body.data.current).toEqual({ data: 1, timestamp: 'x' });
    expect((await admin.patch(`${path}/desired`, { on: true }, type)).body.data.desired).toEqual({
      on: true,
    });
    expect((await admin.patch(path, '[1]', type)).status).toBe(400);
    expect((await admin.patch(path, '{"a":1,"a":2}', type)).status).toBe(400);
    expect((await put(path, { on: true }, type)).status).toBe(415);
    expect((await admin.post('/v1/events', { on: true }, type)).status).toBe(415);
  });

  describe('takes a report', () => {
    const results = async (...reports: object[]): Promise<string[]> => {
      const found: string[] = [];
      for (const report of reports) found.push((await admin.patch(path, report)).body.result as string);
      return found;
    };
    const at = (ago_ms: number): string => new Date(Date.now() - ago_ms).toISOString();

    it('by its sequence', async () => {
      expect(
        await results(
          { data: { a: 1 }, sequence: 5 },
          { data: { a: 2 }, sequence: 5 },
          { data: { a: 3 }, sequence: 4 },
          { data: { a: 4 }, sequence: 6, timestamp: at(DAY_MS) },
        ),
      ).toEqual(['applied', 'duplicate', 'stale', 'applied']);
    });

    it('by its sequence in each boot', async () => {
      expect(
        await results(
          { data: { a: 1 }, sequence: 5, boot_id: 'one' },
          { data: { a: 2 }, sequence: 0, boot_id: 'two' },
          { data: { a: 3 }, sequence: 6, boot_id: 'one' },
          { data: { a: 4 }, sequence: 1, boot_id: 'two' },
        ),
      ).toEqual(['applied', 'applied', 'stale', 'applied']);
    });

    it('by its time, of a clock or relative to now', async () => {
      expect(
        await results(
          { data: { a: 1 }, timestamp: at(10_000) },
          { data: { a: 2 }, age_ms: 20_000 },
          { data: { a: 3 }, timestamp: at(10_500) },
          { data: { a: 4 }, age_ms: 5_000 },
        ),
      ).toEqual(['applied', 'stale', 'stale', 'applied']);
      const { body } = await admin.get(`${path}/history`);
      expect(
        body.history.map((entry: { clock: string; result: string }) => [entry.clock, entry.result]),
      ).toEqual([
        ['relative', 'applied'],
        ['device', 'stale'],
        ['relative', 'stale'],
        ['device', 'applied'],
      ]);
    });

    it('by what it says', async () => {
      expect(await results({ data: { a: 1 } }, { data: { a: 1 } }, { data: { a: 1, b: null } })).toEqual([
        'applied',
        'duplicate',
        'duplicate',
      ]);
      expect((await admin.get(path)).body).toMatchObject({ version: 1, duplicates: 2 });
      expect((await admin.get(`${path}/history`)).body.history).toHaveLength(1);
    });
  });

  describe('refuses', () => {
    it.each<[string, object, string]>([
      ['no data', {}, '/data'],
      ['data that is text', { data: 'on' }, '/data'],
      ['data that is a list', { data: [1] }, '/data'],
      ['data that is null', { data: null }, '/data'],
      ['data nested too deep', { data: nested(33) }, '/data'],
      ['data that is too large', { data: { a: 'x'.repeat(65_536) } }, '/data'],
      ['two times', { data: {}, timestamp: new Date().toISOString(), age_ms: 1 }, '/age_ms'],
      [
        'a time more than a day ahead',
        { data: {}, timestamp: new Date(Date.now() + DAY_MS + 60_000).toISOString() },
        '/timestamp',
      ],
      ['a time without a zone', { data: {}, timestamp: '2026-01-31T12:00:00' }, '/timestamp'],
      ['an age below zero', { data: {}, age_ms: -1 }, '/age_ms'],
      ['a negative sequence', { data: {}, sequence: -1 }, '/sequence'],
      ['a sequence that is no whole number', { data: {}, sequence: 1.5 }, '/sequence'],
      ['a blank boot', { data: {}, sequence: 1, boot_id: ' ' }, '/boot_id'],
      ['a field that is not known', { data: {}, version: 7 }, '/version'],
    ])('%s, and stores nothing', async (_, body, pointer) => {
      for (const method of ['PATCH', 'PUT']) {
        const refused = await admin.send(method, path, body);
        expect([refused.status, refused.body.code]).toEqual([400, 'invalid']);
        expect(refused.body.errors.map((error: { pointer: string }) => error.pointer)).toEqual([pointer]);
      }
      expect((await admin.get(path)).status).toBe(404);
      expect((await admin.get(`/v1/devices/${encodeURIComponent(device_id)}`)).status).toBe(404);
    });

    it.each([
      ['NUL', '{"data":{"a":"\\u0000"}}'],
      ['half a surrogate pair', '{"data":{"a":"\\ud800"}}'],
      ['names twice', '{"data":{"a":1,"a":2}}'],
      ['names of prototypes', '{"data":{"__proto__":{"admin":true}}}'],
      ['numbers beyond a double', '{"data":{"a":1e400}}'],
    ])('%s', async (_, body) => {
      expect((await admin.patch(path, body)).status).toBe(400);
      expect((await admin.get(path)).status).toBe(404);
    });

    it('a patch by which the state would grow too large', async () => {
      await admin.patch(path, { data: { a: 'x'.repeat(40_000) } });
      const refused = await admin.patch(path, { data: { b: 'x'.repeat(40_000) } });
      expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, '/data']);
      expect((await admin.get(path)).body.version).toBe(1);
    });

    it.each([
      ['a list', '[]'],
      ['null', 'null'],
      ['nested too deep', JSON.stringify(nested(33))],
      ['what would make the state too large', JSON.stringify({ b: 'x'.repeat(40_000) })],
    ])('a body that is the patch itself as a whole when it is %s', async (_, body) => {
      await admin.patch(path, { data: { a: 'x'.repeat(40_000) } });
      const refused = await admin.patch(path, body, { 'content-type': 'application/merge-patch+json' });
      const [error] = refused.body.errors;
      expect(refused).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '' }], detail: error.detail },
      });
      expect((await admin.get(path)).body.version).toBe(1);
    });

    it('a device id with control characters', async () => {
      expect((await admin.patch('/v1/devices/a%0Ab/state', { data: {} })).status).toBe(400);
    });

    it.each(['at=yesterday', 'at=2026-01-31&at=2026-01-30', 'time=1'])('the query %s', async (query) => {
      expect((await admin.get(`${path}?${query}`)).status).toBe(400);
    });

    it('limits and cursors that are none', async () => {
      for (const list of [`${path}/history`, '/v1/states', '/v1/states?label=a:b']) {
        const query = list.includes('?') ? '&' : '?';
        for (const bad of ['limit=0', 'limit=1001', 'limit=-1', 'cursor=x', 'cursor=W10']) {
          expect([bad, (await admin.get(`${list}${query}${bad}`)).status]).toEqual([bad, 400]);
        }
      }
    });
  });

  it('takes a state of just the depth and size that are allowed', async () => {
    expect((await admin.patch(path, { data: nested(32) })).status).toBe(200);
    expect((await put(path, { data: { a: 'x'.repeat(65_536 - '{"a":""}'.length) } })).status).toBe(200);
  });

  it.each(['pump 7/north', 'a.b.*.>', '漢字 😀', '100%', '%2e%2e', 'a?b#c&d=e'])(
    'belongs to a device of any id: %s',
    async (id) => {
      const own = pathOf(id);
      expect((await admin.patch(own, { data: { id } })).status).toBe(200);
      expect((await admin.get(own)).body.data.current).toEqual({ id });
    },
  );

  describe('and its versions', () => {
    it('answer 304 to those who have the newest, until something changes', async () => {
      const { headers } = await admin.patch(path, { data: { a: 1 } });
      const known = { 'if-none-match': headers.get('etag')! };
      expect((await admin.get(path, known)).status).toBe(304);
      await admin.patch(path, { data: { a: 1 } });
      expect((await admin.get(path, known)).status).toBe(304);
      await admin.patch(`${path}/desired`, { data: { a: 2 } });
      const wished = await admin.get(path, known);
      expect([wished.status, wished.body.data.delta]).toEqual([200, { a: 2 }]);
      expect((await admin.get(path, { 'if-none-match': wished.headers.get('etag')! })).status).toBe(304);
    });

    it('guard writes: If-Match and If-None-Match', async () => {
      expect((await admin.patch(path, { data: { a: 1 } }, { 'if-match': '*' })).status).toBe(412);
      expect((await admin.patch(path, { data: { a: 1 } }, { 'if-none-match': '*' })).status).toBe(200);
      expect((await put(path, { data: { a: 2 } }, { 'if-none-match': '*' })).status).toBe(412);
      expect((await put(path, { data: { a: 2 } }, { 'if-match': '"7", "1"' })).status).toBe(200);
      const late = await admin.patch(path, { data: { a: 3 } }, { 'if-match': '"1"' });
      expect([late.status, late.body.code]).toEqual([412, 'precondition_failed']);
      expect((await admin.send('DELETE', path, undefined, { 'if-match': '"1"' })).status).toBe(412);
      expect((await admin.get(path)).body).toMatchObject({ version: 2, data: { current: { a: 2 } } });
    });
  });

  describe('and what is desired', () => {
    it('stands beside it with what is still missing', async () => {
      await admin.patch(path, { data: { on: false, speed: { set: 1, real: 1 } } });
      const wished = await put(`${path}/desired`, { data: { on: true, speed: { set: 2 } } });
      expect(wished.body.data).toMatchObject({ delta: { on: true, speed: { set: 2 } } });
      await admin.patch(`${path}/desired`, { data: { on: null } });
      await admin.patch(path, { data: { speed: { set: 2 } } });
      expect((await admin.get(path)).body).toMatchObject({
        version: 2,
        data: { current: { on: false, speed: { set: 2, real: 1 } }, desired: { speed: { set: 2 } } },
      });
      expect((await admin.get(path)).body.data.delta).toBeUndefined();
    });

    it('waits for a device that has not reported yet', async () => {
      const device = await aDevice(device_id);
      await put(`${path}/desired`, { data: { on: true } });
      expect((await device.get(path)).body).toMatchObject({
        version: 0,
        data: { current: {}, desired: { on: true }, delta: { on: true } },
      });
      expect((await admin.get('/v1/states')).body.states).not.toContainEqual(
        expect.objectContaining({ device_id }),
      );
    });
  });

  describe('repeated with its Idempotency-Key', () => {
    it.each(['PATCH', 'PUT'])('is answered as at first: %s', async (method) => {
      const key = { 'idempotency-key': randomUUID() };
      const first = await admin.send(method, path, { data: { a: 1 } }, key);
      await admin.patch(path, { data: { a: 2 } });
      const again = await admin.send(method, path, { data: { a: 1 } }, key);
      expect(again.body).toEqual(first.body);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
      expect((await admin.get(path)).body).toMatchObject({
        version: 2,
        duplicates: 0,
        data: { current: { a: 2 } },
      });
      const other = await admin.send(method, path, { data: { a: 3 } }, key);
      expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
      expect(other.body.first_content_hash).not.toBe(other.body.content_hash);
    });

    it('is not taken for another device’s', async () => {
      const key = { 'idempotency-key': randomUUID() };
      await admin.patch(path, { data: { a: 1 } }, key);
      expect((await admin.patch(pathOf('another'), { data: { a: 1 } }, key)).status).toBe(409);
    });

    it('changes what is desired once', async () => {
      const key = { 'idempotency-key': randomUUID() };
      const first = await admin.patch(`${path}/desired`, { data: { a: 1 } }, key);
      const again = await admin.patch(`${path}/desired`, { data: { a: 1 } }, key);
      expect([again.headers.get('idempotency-replayed'), again.body]).toEqual(['true', first.body]);
    });
  });

  describe('ended by DELETE', () => {
    it('is gone, while its history stays and its version goes on', async () => {
      await admin.patch(path, { data: { a: 1 } });
      const before = (await admin.get(path)).body.updated_at as string;
      expect((await admin.delete(path)).status).toBe(204);
      expect((await admin.get(path)).status).toBe(404);
      expect((await admin.delete(path)).status).toBe(404);
      expect((await admin.get(`${path}?at=${before}`)).body.data.current).toEqual({ a: 1 });
      expect((await admin.patch(path, { data: { b: 1 } })).body).toMatchObject({
        version: 2,
        data: { current: { b: 1 } },
      });
      expect((await admin.get(`${path}/history`)).body.history).toHaveLength(3);
    });
  });

  describe('with its history', () => {
    interface Entry {
      version: number;
      recorded_at: string;
    }

    it('says who reported what, when, and what came of it', async () => {
      await admin.patch(path, { data: { a: 1, b: 1 }, sequence: 1, timestamp: '2026-01-31T12:00:00+01:00' });
      await put(path, { data: { c: 1 } });
      const { body } = await admin.get(`${path}/history`);
      const { body: me } = await admin.get('/v1/me');
      expect(body).toMatchObject({
        next_cursor: null,
        history: [
          { version: 2, operation: 'replace', patch: { c: 1 }, data: { c: 1 }, clock: 'server' },
          {
            version: 1,
            operation: 'merge',
            result: 'applied',
            patch: { a: 1, b: 1 },
            data: { a: 1, b: 1 },
            timestamp: '2026-01-31T11:00:00.000Z',
            clock: 'device',
            sequence: 1,
            key_id: me.key_id,
          },
        ],
      });
    });

    it('is walked newest first, by cursor or by link, while it is written', async () => {
      for (let count = 1; count <= 7; count += 1) await admin.patch(path, { data: { count } });
      const seen: number[] = [];
      for (let next: string | undefined = `${path}/history?limit=3`; next !== undefined;) {
        const { body, headers } = await admin.get(next);
        seen.push(...body.history.map(({ version }: Entry) => version));
        await admin.patch(path, { data: { count: -seen.length } });
        next = /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1];
        expect(next === undefined).toBe(body.next_cursor === null);
      }
      expect(seen).toEqual([7, 6, 5, 4, 3, 2, 1]);
    });

    it('is streamed whole as NDJSON and as CSV', async () => {
      for (let count = 1; count <= 3; count += 1) await admin.patch(path, { data: { count } });
      const ndjson = await admin.get(`${path}/history?limit=1`, { accept: 'application/x-ndjson' });
      const lines = (ndjson.body as string)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Entry);
      expect(lines.map(({ version }) => version)).toEqual([3, 2, 1]);
      const csv = await admin.get(`${path}/history`, { accept: 'text/csv' });
      const [head, first] = (csv.body as string).split('\r\n');
      expect(head).toBe(
        'id,operation,result,version,patch,data,timestamp,recorded_at,clock,sequence,boot_id,key_id',
      );
      expect(first).toContain('merge,applied,3,"{""count"":3}","{""count"":3}"');
    });

    it('is not there for a device that never reported', async () => {
      await aDevice(device_id);
      expect((await admin.get(`${path}/history`)).status).toBe(404);
    });
  });

  describe('of the fleet', () => {
    let fleet: HttpClient;
    const ids = ['a', 'b', 'c', 'd', 'e'];
    beforeAll(async () => {
      fleet = await anotherProject();
      for (const id of ids) {
        const site = id < 'd' ? 'north' : 'south';
        await fleet.post('/v1/devices', { id, labels: { site } });
        if (id !== 'b') await fleet.patch(pathOf(id), { data: { id } });
      }
    });
    const walk = async (query: string): Promise<string[]> => {
      const seen: string[] = [];
      for (let cursor = ''; ;) {
        const { status, body } = await fleet.get(`/v1/states?${query}${cursor}`);
        expect(status).toBe(200);
        seen.push(...body.states.map((state: { device_id: string }) => state.device_id));
        if (body.next_cursor === null) return seen;
        cursor = `&cursor=${body.next_cursor as string}`;
      }
    };

    it('is walked newest first, or oldest', async () => {
      expect(await walk('limit=2')).toEqual(['e', 'd', 'c', 'a']);
      expect(await walk('limit=3&order=asc')).toEqual(['a', 'c', 'd', 'e']);
    });

    it('is found by label, in pages that follow the labelled devices', async () => {
      expect(await walk('label=site:north')).toEqual(['c', 'a']);
      expect(await walk('label=site:north&limit=1')).toEqual(['c', 'a']);
      expect(await walk('label=site:nowhere')).toEqual([]);
      expect((await fleet.get('/v1/states?label=site')).status).toBe(400);
    });

    it('is as it was at a time', async () => {
      const { body } = await fleet.get(pathOf('c'));
      expect(await walk(`at=${body.updated_at as string}`)).toEqual(['c', 'a']);
      expect(await walk(`label=site:north&at=${body.first_seen_at as string}`)).toEqual(['c', 'a']);
      expect(await walk('at=2020-01-01')).toEqual([]);
    });

    it('is streamed whole as NDJSON, labelled or not', async () => {
      const accept = { accept: 'application/x-ndjson' };
      expect(((await fleet.get('/v1/states', accept)).body as string).trim().split('\n')).toHaveLength(4);
      expect(
        ((await fleet.get('/v1/states?label=site:south', accept)).body as string).trim().split('\n'),
      ).toHaveLength(2);
    });
  });

  describe('answers', () => {
    it('a device about itself, and as if others were not there', async () => {
      const device = await aDevice(device_id);
      await admin.patch(pathOf('another'), { data: { a: 1 } });
      expect((await device.patch(path, { data: { a: 1 } })).status).toBe(200);
      expect((await device.get(path)).status).toBe(200);
      expect((await device.get(`${path}/history`)).status).toBe(200);
      for (const own of [pathOf('another'), pathOf('nobody')]) {
        expect((await device.patch(own, { data: { a: 2 } })).status).toBe(403);
        expect((await device.send('PUT', own, { data: { a: 2 } })).status).toBe(403);
        expect((await device.get(own)).status).toBe(404);
        expect((await device.get(`${own}/history`)).status).toBe(404);
      }
      const { body } = await device.get('/v1/states');
      expect(body.states.map((state: { device_id: string }) => state.device_id)).toEqual([device_id]);
    });

    it('a device about itself by a label, and with no word of others that bear it', async () => {
      const labels = { site: randomUUID(), floor: '1' };
      const others = [`first ${device_id}`, `last ${device_id}`];
      await aDevice(others[0]!, labels);
      const device = await aDevice(device_id, labels);
      await aDevice(others[1]!, labels);
      for (const id of [device_id, ...others]) await admin.patch(pathOf(id), { data: { id } });
      for (const query of ['', '&limit=1', '&limit=1&order=asc']) {
        const { body } = await device.get(`/v1/states?label=site:${labels.site}${query}`);
        expect(body.states.map((state: { device_id: string }) => state.device_id)).toEqual([device_id]);
        expect(body.next_cursor).toBeNull();
      }
      const { body } = await device.get('/v1/states?label=floor:2');
      expect(body).toEqual({ states: [], next_cursor: null });
    });

    it('a device that may neither wish nor delete', async () => {
      const device = await aDevice(device_id);
      await device.patch(path, { data: { a: 1 } });
      expect((await device.patch(`${path}/desired`, { data: { a: 2 } })).status).toBe(403);
      expect((await device.delete(path)).status).toBe(403);
    });

    it('viewers who read and do not write, and no operator', async () => {
      const viewer = await aMember('viewer');
      await admin.patch(path, { data: { a: 1 } });
      for (const own of [path, `${path}/history`, '/v1/states']) {
        expect((await viewer.get(own)).status).toBe(200);
        expect((await system.operator.get(own)).status).toBe(403);
      }
      expect((await viewer.patch(path, { data: { a: 2 } })).status).toBe(403);
      expect((await viewer.delete(path)).status).toBe(403);
      expect((await system.operator.patch(path, { data: { a: 2 } })).status).toBe(403);
    });

    it('another project with what it answers about nothing', async () => {
      const stranger = await anotherProject();
      await admin.patch(path, { data: { a: 1 } });
      for (const rest of ['', '?at=2030-01-01', '/history']) {
        const foreign = await stranger.get(`${path}${rest}`);
        const missing = await stranger.get(`${pathOf('nobody')}${rest}`);
        expect([foreign.status, { ...foreign.body, request_id: '' }]).toEqual([
          404,
          { ...missing.body, request_id: '' },
        ]);
      }
      expect((await stranger.delete(path)).status).toBe(404);
      expect((await stranger.get('/v1/states')).body.states).toEqual([]);
      expect((await stranger.patch(path, { data: { b: 1 } })).body.version).toBe(1);
      expect((await admin.get(path)).body).toMatchObject({ version: 1, data: { current: { a: 1 } } });
    });

    it('editors, whose writes register a device that nobody knew', async () => {
      const editor = await aMember('editor');
      expect((await editor.patch(path, { data: { a: 1 } })).status).toBe(200);
      expect((await admin.get(`/v1/devices/${encodeURIComponent(device_id)}`)).status).toBe(200);
    });
  });

  it('is not there when the service is not, and says so', async () => {
    await system.deviceState.stop();
    const refused = await admin.get(path);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    await system.deviceState.start();
    expect(await eventually(async () => (await admin.get(path)).status === 404 && 'answers')).toBe('answers');
  });
});

describe('a report sent again and again while its service is killed', () => {
  const MAIN = join(ROOT, 'dist/bundles/apps/device-state/src/main.js');
  let system: System;
  let running: ChildProcess;

  const start = async (): Promise<void> => {
    running = fork(MAIN, {
      env: system.deviceState.environment,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    await once(running, 'message');
  };
  const kill = async (): Promise<void> => {
    const gone = once(running, 'exit');
    running.kill('SIGKILL');
    await gone;
  };

  beforeAll(async () => {
    system = await startSystem();
    await system.deviceState.stop();
    await start();
  });
  afterAll(async () => {
    await kill();
    await system.stop();
  });

  it.each([
    ['with a key', { 'idempotency-key': 'once' }],
    ['without one', {}],
  ])('makes one version: %s', async (name, headers) => {
    const path = `/v1/devices/${encodeURIComponent(name)}/state`;
    const bodies = new Set<string>();
    let left = 1_000;
    let kills = Promise.resolve();
    const connection = async (): Promise<void> => {
      while (left > 0) {
        left -= 1;
        if (left % 450 === 0) kills = kills.then(kill).then(start);
        const { body } = await eventually(async () => {
          const answer = await system.admin.patch(path, { data: { on: true }, sequence: 7 }, headers);
          expect(answer.status).toBe(200);
          return answer;
        }, 30_000);
        bodies.add(JSON.stringify({ ...body, duplicates: 0, result: '' }));
      }
    };
    await Promise.all(Array.from({ length: 20 }, connection));
    await kills;
    expect(bodies.size).toBe(1);
    expect((await system.admin.get(path)).body.version).toBe(1);
    expect((await system.admin.get(`${path}/history`)).body.history).toHaveLength(1);
  });
});
