import { randomUUID } from 'node:crypto';
import { type AnyEntry, type EntryKind } from '#contracts';
import { eventually, queryDatabase } from '#testing';
import { aDeviceId, aFirmwareEvent, anEvent } from './builders.js';
import { type Answer, type HttpClient } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

const OF_DEVICES = ['event', 'firmware', 'message', 'state'];
const KINDS = ['event', 'firmware', 'message', 'price', 'state'];
const RFC_3339 = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as string;
const UUID = expect.stringMatching(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/) as string;

type Filter = Record<string, string>;

describe('the timeline', () => {
  let system: System;
  let project: Project;
  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
  });
  beforeEach(async () => {
    project = await aProject(system);
  });
  afterAll(() => system.stop());

  const pathOf = (device_id?: string): string =>
    device_id === undefined ? '/v1/timeline' : `/v1/devices/${encodeURIComponent(device_id)}/timeline`;
  const ask = (client: HttpClient, device_id?: string, filter: Filter = {}): Promise<Answer> =>
    client.get(`${pathOf(device_id)}?${new URLSearchParams(filter).toString()}`);
  const entries = async (client: HttpClient, device_id?: string, filter: Filter = {}): Promise<AnyEntry[]> =>
    (await ask(client, device_id, { limit: '1000', ...filter })).body.entries;
  const kindsOf = (some: AnyEntry[]): EntryKind[] => some.map(({ kind }) => kind).sort();
  const report = (data: object, device = project.device, device_id = project.device_id): Promise<Answer> =>
    device.patch(`/v1/devices/${encodeURIComponent(device_id)}/state`, { data });
  const firmware = (rest: object = {}): Promise<Answer> =>
    project.device.post(
      `/v1/devices/${encodeURIComponent(project.device_id)}/firmware`,
      aFirmwareEvent({ ...rest }),
    );
  const send = (from: HttpClient, recipient: string, rest: object = {}): Promise<Answer> =>
    from.post('/v1/messages', { recipient, message: 'Close valve 3', ...rest });
  const reprice = (price = '1', product_id = randomUUID()): Promise<Answer> =>
    project.editor.post('/v1/prices', { product_id, price });

  /** One of each kind, all about the project's device but the price; the answers by kind. */
  const oneOfEach = async (): Promise<Record<EntryKind, any>> => ({
    state: (await report({ on: true })).body,
    firmware: (await firmware()).body,
    event: (await project.device.post('/v1/events', anEvent())).body,
    message: (await send(project.admin, project.device_id)).body,
    price: (await reprice()).body,
  });

  /** Rows of each kind behind the product's back, about the project's device: `count` of each at each of three times. */
  const manyAtOnce = async (count: number): Promise<void> => {
    const row = (column: string): string =>
      `date_trunc('second', now()) - n % 3 * interval '1 millisecond' AS ${column}`;
    const from = `FROM generate_series(1, ${count * 3}) AS n`;
    for (const statement of [
      `INSERT INTO device_state.history (project_id, device_id, recorded_at, entry, id, operation, result, version,
         patch, data, updated_at, timestamp, clock, key_id)
       SELECT $1::uuid, $2, ${row('recorded_at')}, n, gen_random_uuid(), 'merge', 'applied', n, '{}', '{}', now(), now(),
         'server', gen_random_uuid() ${from}`,
      `INSERT INTO firmware.firmware_events (project_id, device_id, timestamp, id, firmware, status, created_at)
       SELECT $1::uuid, $2, ${row('timestamp')}, gen_random_uuid(), '1.0.' || n, 'seen', now() ${from}`,
      `INSERT INTO activity_events.events (project_id, device_id, occurred_at, id, component, environment, email,
         message, data, created_at)
       SELECT $1::uuid, $2, ${row('occurred_at')}, gen_random_uuid(), 'c', 'e', 'a@b.c', 'm', '{}', now() ${from}`,
      `INSERT INTO messages.messages (project_id, id, created_at, sender, recipient, sender_mailbox,
         recipient_mailbox, message, device_id)
       SELECT $1::uuid, gen_random_uuid(), ${row('created_at')}, 's', 'r', CASE n % 2 WHEN 0 THEN 'device ' || $2 ELSE 's' END,
         CASE n % 4 WHEN 1 THEN 'device ' || $2 ELSE 'r' END, 'm', $2 ${from}`,
      `INSERT INTO pricing.changes (project_id, product_id, timestamp, sequence, id, previous_price, new_price,
         transaction_id)
       SELECT $1::uuid, $2 || n % 4, ${row('timestamp')}, n + 1, gen_random_uuid(), n, n + 1,
         pg_current_xact_id()::text::bigint ${from}`,
    ])
      await queryDatabase(system.database_url, statement, [project.id, project.device_id]);
  };

  const walk = async (
    client: HttpClient,
    device_id: string | undefined,
    filter: Filter,
    between?: () => Promise<unknown>,
  ): Promise<AnyEntry[]> => {
    const walked: AnyEntry[] = [];
    let path: string | undefined = `${pathOf(device_id)}?${new URLSearchParams(filter).toString()}`;
    while (path) {
      const page: Answer = await client.get(path);
      expect(page.status).toBe(200);
      walked.push(...(page.body.entries as AnyEntry[]));
      path = /<(.+)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1];
      expect(path !== undefined).toBe(page.body.next_cursor !== null);
      await between?.();
    }
    return walked;
  };

  describe('of a device', () => {
    it('holds what happened to it, of each kind, as it was answered', async () => {
      const { state, firmware, event, message } = await oneOfEach();
      const { device_id } = project;
      const found = await entries(project.admin, device_id);
      const { data: _, created_at, occurred_at, ...rest } = event;
      expect(found).toHaveLength(4);
      expect(found).toEqual(
        expect.arrayContaining([
          {
            ...{ kind: 'state', id: UUID, at: state.updated_at, device_id, version: 1, operation: 'merge' },
            ...{ result: 'applied', patch: { on: true }, timestamp: RFC_3339, clock: 'server', key_id: UUID },
          },
          {
            ...{ kind: 'firmware', id: firmware.id, at: firmware.timestamp, device_id },
            ...{ firmware: '1.0.0', status: 'installed', created_at: firmware.created_at },
          },
          { kind: 'event', at: occurred_at, ...rest, data: { invoice: 42 }, created_at },
          {
            ...{ kind: 'message', id: message.id, at: message.created_at, device_id: null },
            ...{ sender: message.sender, recipient: device_id, message: 'Close valve 3' },
          },
        ]),
      );
    });

    it('is as the OpenAPI document says', async () => {
      await oneOfEach();
      const { components } = (await system.admin.as(undefined).get('/openapi.json')).body;
      const { oneOf, discriminator } = components.schemas.TimelinePage.properties.entries.items;
      expect(oneOf).toHaveLength(KINDS.length);
      for (const entry of await entries(project.admin)) {
        const schema = components.schemas[discriminator.mapping[entry.kind].split('/').at(-1)];
        expect([entry.kind, Object.keys(entry).sort()]).toEqual([entry.kind, schema.required.toSorted()]);
        expect(schema.properties.kind.enum).toEqual([entry.kind]);
      }
    });

    it('holds messages to it, from it and about it, each once', async () => {
      const { admin, device, device_id } = project;
      const editor = (await project.editor.get('/v1/me')).body.address as string;
      await send(admin, device_id);
      await send(device, editor);
      await send(admin, editor, { device_id });
      await send(admin, device_id, { device_id });
      await send(device, device_id, { device_id });
      await send(admin, editor);
      await send(admin, editor, { device_id: aDeviceId() });
      const found = await entries(admin, device_id);
      expect(found).toHaveLength(5);
      expect(new Set(found.map(({ id }) => id)).size).toBe(5);
    });

    it('keeps versions in their order, whatever the ids of those of one time', async () => {
      await manyAtOnce(20);
      const versions = (
        await entries(project.viewer, project.device_id, { kinds: 'state', order: 'asc' })
      ).map((entry) => [entry.at, entry.kind === 'state' && entry.version]);
      expect(versions).toHaveLength(60);
      expect(versions).toEqual(
        versions.toSorted(([at, version], [other_at, other]) =>
          at === other_at ? Number(version) - Number(other) : at! < other_at! ? -1 : 1,
        ),
      );
    });

    it('shows a deletion and a report that came too late', async () => {
      const path = `/v1/devices/${encodeURIComponent(project.device_id)}/state`;
      await project.device.patch(path, { data: { a: 1 }, sequence: 2 });
      await project.device.patch(path, { data: { a: 0 }, sequence: 1 });
      await project.editor.delete(path);
      expect(await entries(project.viewer, project.device_id, { order: 'asc' })).toMatchObject([
        { operation: 'merge', result: 'applied', patch: { a: 1 } },
        { operation: 'merge', result: 'stale', patch: { a: 0 } },
        { operation: 'delete', result: 'applied', patch: null },
      ]);
    });

    it('is empty for one that nothing has happened to, and not found for one that is not there', async () => {
      const empty = await ask(project.viewer, project.device_id);
      expect([empty.status, empty.body]).toEqual([200, { entries: [], next_cursor: null }]);
      const none = await ask(project.viewer, 'none');
      const { body: state } = await project.viewer.get('/v1/devices/none/state');
      expect([none.status, none.body]).toEqual([404, { ...state, request_id: none.body.request_id }]);
    });

    it('stays when the device is removed, also where a filter leaves nothing', async () => {
      await report({ on: true });
      await project.admin.delete(`/v1/devices/${encodeURIComponent(project.device_id)}`);
      expect(await entries(project.viewer, project.device_id)).toHaveLength(1);
      const filtered = await ask(project.viewer, project.device_id, { kinds: 'firmware' });
      expect([filtered.status, filtered.body.entries]).toEqual([200, []]);
    });

    it('is walked page by page, however long its id', async () => {
      const id = '🚗'.repeat(128);
      for (const n of [1, 2, 3]) expect((await report({ n }, project.editor, id)).status).toBe(200);
      expect(await walk(project.viewer, id, { limit: '1' })).toMatchObject([
        { version: 3 },
        { version: 2 },
        { version: 1 },
      ]);
    });
  });

  describe('of a project', () => {
    it('holds all of its devices, events about none, and prices', async () => {
      const { price } = await oneOfEach();
      await project.editor.post('/v1/events', anEvent());
      await report({ on: true }, project.editor, aDeviceId());
      const found = await entries(project.admin);
      expect(kindsOf(found)).toEqual([...KINDS, 'event', 'state'].sort());
      expect(found.find(({ kind }) => kind === 'price')).toEqual({
        ...{ kind: 'price', id: UUID, at: price.timestamp, device_id: null, product_id: price.product_id },
        ...{ previous_price: null, new_price: '1', sequence: 1 },
      });
    });

    it('is newest first, and oldest first when asked', async () => {
      await oneOfEach();
      const found = await entries(project.admin);
      expect(found).toEqual(found.toSorted((one, other) => (one.at < other.at ? 1 : -1)));
      expect(await entries(project.admin, undefined, { order: 'asc' })).toEqual(found.toReversed());
    });

    it('holds only the kinds that are asked for', async () => {
      await oneOfEach();
      const asked = async (kinds: string): Promise<EntryKind[]> =>
        kindsOf(await entries(project.admin, undefined, { kinds }));
      for (const kind of KINDS) expect(await asked(kind)).toEqual([kind]);
      expect(await asked('state,price,state')).toEqual(['price', 'state']);
    });

    it('is of a time, from inclusive, to exclusive', async () => {
      await oneOfEach();
      for (const { id, at } of await entries(project.admin)) {
        const later = new Date(Date.parse(at) + 1).toISOString();
        const isIn = async (filter: Filter): Promise<boolean> =>
          (await entries(project.admin, undefined, filter)).some((entry) => entry.id === id);
        expect(await isIn({ from: at, to: later })).toBe(true);
        expect(await isIn({ from: at })).toBe(true);
        expect(await isIn({ to: later })).toBe(true);
        expect(await isIn({ from: later })).toBe(false);
        expect(await isIn({ to: at })).toBe(false);
        expect(await isIn({ from: at, to: at })).toBe(false);
      }
    });

    it('reaches to the last moment that can be written', async () => {
      const at = ['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'];
      for (const occurred_at of [...at, ...at])
        await project.editor.post('/v1/events', anEvent({ occurred_at }));
      await oneOfEach();
      for (const order of ['asc', 'desc']) {
        const walked = await walk(project.admin, undefined, { order, limit: '1' });
        expect(walked).toEqual(await entries(project.admin, undefined, { order }));
        expect(walked).toHaveLength(9);
      }
    });
  });

  describe('walked page by page', () => {
    it('holds each entry once, in one order, many of one time among them', async () => {
      await manyAtOnce(4);
      for (const order of ['asc', 'desc']) {
        for (const [device_id, count] of [[undefined, 60] as const, [project.device_id, 48] as const]) {
          const whole = await entries(project.admin, device_id, { order });
          expect(new Set(whole.map(({ kind, id }) => `${kind} ${id}`)).size).toBe(count);
          const places = whole.map(({ at, kind }) => `${at} ${kind}`);
          expect(order === 'asc' ? places : places.toReversed()).toEqual(places.toSorted());
          for (const limit of ['3', '7', '50'])
            expect(await walk(project.admin, device_id, { order, limit })).toEqual(whole);
          const { at } = whole[30]!;
          const some = whole.filter((entry) => entry.at >= at);
          expect(await walk(project.admin, device_id, { order, limit: '6', from: at })).toEqual(some);
        }
      }
    });

    it('holds all that was there, and nothing twice, while others write', async () => {
      await manyAtOnce(3);
      const before = await entries(project.admin);
      let left = 5;
      const write = async (): Promise<unknown> =>
        left-- > 0 && Promise.all([report({ left }), reprice(), send(project.admin, project.device_id)]);
      const walked = await walk(project.admin, undefined, { order: 'asc', limit: '4' }, write);
      const old = new Set(before.map(({ id }) => id));
      expect(walked.filter(({ id }) => old.has(id))).toEqual(before.toReversed());
      expect(new Set(walked.map(({ id }) => id)).size).toBe(walked.length);
      expect(walked.length).toBe(before.length + 5 * 3);
    });

    it('ends with the page that holds the last', async () => {
      await oneOfEach();
      expect((await ask(project.admin, undefined, { limit: '4' })).body.next_cursor).not.toBeNull();
      expect((await ask(project.admin, undefined, { limit: '5' })).body.next_cursor).toBeNull();
    });

    it('goes on where a page had room for no more', async () => {
      const data = { text: 'x'.repeat(200 * 1024) };
      for (let nth = 0; nth < 12; nth += 1) await project.editor.post('/v1/events', anEvent({ data }));
      await reprice();
      const first = await ask(project.admin);
      expect(first.body.entries.length).toBeLessThan(13);
      const walked = await walk(project.admin, undefined, {});
      expect([walked.length, new Set(walked.map(({ id }) => id)).size]).toEqual([13, 13]);
    });

    it('is all of it as NDJSON and as CSV, without a limit', async () => {
      await manyAtOnce(100);
      await oneOfEach();
      const get = async (accept: string): Promise<string> =>
        (await project.admin.get(`${pathOf()}?limit=3`, { accept })).body as string;
      const lines = (await get('application/x-ndjson')).trimEnd().split('\n');
      expect(lines).toHaveLength(1_505);
      const walked = await walk(project.admin, undefined, { limit: '1000' });
      expect(lines.map((line) => JSON.parse(line) as AnyEntry)).toEqual(walked);
      const [head, ...rows] = (await get('text/csv')).trimEnd().split('\r\n');
      expect(head).toMatch(/^kind,id,at,device_id,component,.+,firmware,.+,new_price,.+,patch,/);
      expect(rows.map((row) => row.split(',')[1])).toEqual(walked.map(({ id }) => id));
    });
  });

  describe('shows', () => {
    it('an admin all messages, others those to or from themselves', async () => {
      const { admin, editor, viewer, device, device_id } = project;
      const [editors, viewers] = await Promise.all(
        [editor, viewer].map(async (one) => (await one.get('/v1/me')).body.address as string),
      );
      await send(admin, editors!, { device_id });
      await send(editor, viewers!, { device_id });
      await send(admin, device_id);
      await send(device, viewers!);
      const count = async (client: HttpClient): Promise<number[]> => [
        (await entries(client)).length,
        (await entries(client, device_id)).length,
      ];
      expect(await count(admin)).toEqual([4, 4]);
      expect(await count(editor)).toEqual([2, 2]);
      expect(await count(viewer)).toEqual([2, 2]);
      expect(await count(device)).toEqual([2, 2]);
    });

    it('a device what is its own, and no prices', async () => {
      await oneOfEach();
      const other = aDeviceId();
      await report({ on: true }, project.editor, other);
      await project.editor.post('/v1/events', anEvent({ device_id: other }));
      await project.editor.post('/v1/events', anEvent());
      expect(kindsOf(await entries(project.device))).toEqual(OF_DEVICES);
      expect(kindsOf(await entries(project.device, project.device_id))).toEqual(OF_DEVICES);
      expect(await entries(project.device, undefined, { kinds: 'price' })).toEqual([]);
    });

    it('a device nothing of another, as if it were not there', async () => {
      const other = aDeviceId();
      await report({ on: true }, project.editor, other);
      const [theirs, nobodys] = await Promise.all([other, 'none'].map((id) => ask(project.device, id)));
      expect([theirs!.status, theirs!.body]).toEqual([
        404,
        { ...nobodys!.body, request_id: theirs!.body.request_id },
      ]);
    });

    it('nothing of another project, not even to its cursors', async () => {
      await oneOfEach();
      const { next_cursor } = (await ask(project.admin, undefined, { limit: '2' })).body;
      const other = await aProject(system, 'south');
      expect(await entries(other.admin)).toEqual([]);
      expect(await entries(other.admin, undefined, { cursor: next_cursor })).toEqual([]);
      expect((await ask(other.admin, project.device_id)).status).toBe(404);
      await report({ on: false }, other.editor, project.device_id);
      expect(kindsOf(await entries(other.admin, project.device_id))).toEqual(['state']);
    });
  });

  it.each<[string, Filter]>([
    ['/kinds', { kinds: 'states' }],
    ['/kinds', { kinds: '' }],
    ['/kinds', { kinds: 'state,' }],
    ['/kinds', { kinds: 'audit' }],
    ['/from', { from: 'yesterday' }],
    ['/from', { from: '2026-02-01', to: '2026-01-31' }],
    ['/to', { to: '2026-02-30' }],
    ['/order', { order: 'up' }],
    ['/limit', { limit: '0' }],
    ['/limit', { limit: '1001' }],
    ['/cursor', { cursor: 'x' }],
    ['/cursor', { cursor: cursorOf('rumour', '1') }],
    ['/cursor', { cursor: cursorOf('event', 'x') }],
    ['/cursor', { cursor: cursorOf('firmware', 'x') }],
    ['/cursor', { cursor: cursorOf('message', 'x') }],
    ['/cursor', { cursor: cursorOf('price', 'x') }],
    ['/cursor', { cursor: cursorOf('state', 'x y') }],
    ['/colour', { colour: 'red' }],
  ])('refuses a bad %s: %j', async (pointer, filter) => {
    for (const device_id of [undefined, project.device_id]) {
      // Prices are about no device: nobody is asked for them, nor looks at their place.
      if (device_id && filter.cursor === cursorOf('price', 'x')) continue;
      const { status, body } = await ask(project.admin, device_id, filter);
      expect([status, body.errors]).toEqual([400, [{ pointer, detail: expect.any(String) as string }]]);
    }
  });

  it('has no holes: it waits for a service that is away, unless its kind is not asked for', async () => {
    await oneOfEach();
    await system.firmware.stop();
    try {
      const away = await ask(project.admin);
      expect([away.status, away.body.code]).toEqual([503, 'unavailable']);
      expect(away.headers.get('retry-after')).not.toBeNull();
      expect((await ask(project.admin, project.device_id)).status).toBe(503);
      expect((await ask(project.device)).status).toBe(503);
      const kinds = KINDS.filter((kind) => kind !== 'firmware').join(',');
      expect(kindsOf(await entries(project.admin, undefined, { kinds }))).toHaveLength(4);
    } finally {
      await system.firmware.start();
    }
    await eventually(async () => expect(kindsOf(await entries(project.admin))).toEqual(KINDS));
  });
});

function cursorOf(kind: string, place: string): string {
  return Buffer.from(JSON.stringify(['2026-01-31T12:00:00.000Z', `${kind} ${place}`])).toString('base64url');
}
