import { randomUUID } from 'node:crypto';
import { BusConnection } from '#bus';
import { MAX_UUID, recordEvent, recordFirmware, reportState, reprice } from '#contracts';
import { eventually, queryDatabase } from '#testing';
import { ndjson, OpenBulk, sendBulk, type Verdict } from './bulk-client.js';
import { aDeviceId, aFirmwareEvent, anEvent } from './builders.js';
import { aProject, type Project } from './project.js';
import { HttpClient } from './http-client.js';
import { rawRequest, sendRaw } from './raw-http.js';
import { startSystem, type Gateway, type System, type SystemService } from './system.js';

const KIB = 1024;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

/** Lines that are right as they are; `rest` says what matters to the test. */
const anEventLine = (rest: Record<string, unknown> = {}) => ({ kind: 'event', ...anEvent(rest) });
const aStateLine = (device_id: string, rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'state', device_id, data: { on: true } },
  ...rest,
});
const aFirmwareLine = (device_id: string, rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'firmware', device_id },
  ...aFirmwareEvent(rest),
});
const aMessageLine = (recipient: string, rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'message', recipient, message: 'Close valve 3' },
  ...rest,
});
const aPriceLine = (rest: Record<string, unknown> = {}) => ({
  ...{ kind: 'price', product_id: randomUUID(), price: 19.9 },
  ...rest,
});

describe('bulk', () => {
  let system: System;
  let project: Project;
  beforeAll(async () => {
    system = await startSystem();
    project = await aProject(system);
  });
  afterAll(() => system.stop());

  const statusesOf = (verdicts: Verdict[]): number[] => verdicts.map(({ status }) => status);
  const statePath = (id: string): string => `/v1/devices/${encodeURIComponent(id)}/state`;
  /** All rows of a list, oldest first. */
  const all = async <Row>(client: HttpClient, path: string): Promise<Row[]> => {
    const { body } = await client.get(path, { accept: 'application/x-ndjson' });
    return (body as string)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
  };
  const eventsOf = (component: string) =>
    all<{ id: string; message: string }>(project.admin, `/v1/events?order=asc&component=${component}`);
  /** A gauge of a gateway. */
  const gauge = async ({ health_port }: Gateway, name: string): Promise<number> => {
    const { body } = await new HttpClient(`http://127.0.0.1:${health_port}`).get('/metrics');
    return Number(new RegExp(`^flotilla_${name} (\\d+)$`, 'm').exec(body as string)![1]);
  };
  const nothingIsUnderWay = (gateway: Gateway) =>
    eventually(async () => {
      for (const name of ['bulks', 'bulk_lines_held', 'bus_calls_pending'])
        expect([name, await gauge(gateway, name)]).toEqual([name, 0]);
    });

  it('takes lines of all kinds, and gives a verdict a line, in their order', async () => {
    const { device, device_id } = project;
    const ofMember = [
      anEventLine(),
      aStateLine(device_id),
      aMessageLine(device_id),
      aPriceLine(),
      anEventLine({ device_id: aDeviceId() }),
    ];
    const { status, headers, verdicts } = await sendBulk(project.admin, ofMember);
    expect([status, headers.get('content-type')]).toEqual([200, 'application/x-ndjson']);
    expect(verdicts).toEqual([
      { line: 1, status: 201, id: expect.stringMatching(UUID) },
      { line: 2, status: 200, result: 'applied' },
      { line: 3, status: 201, id: expect.stringMatching(UUID) },
      { line: 4, status: 202, result: 'applied' },
      { line: 5, status: 201, id: expect.stringMatching(UUID) },
    ]);
    const ofDevice = [aFirmwareLine(device_id), aStateLine(device_id), aFirmwareLine(device_id)];
    expect((await sendBulk(device, ofDevice)).verdicts).toEqual([
      { line: 1, status: 201, id: expect.stringMatching(UUID), result: 'applied' },
      { line: 2, status: 200, result: 'duplicate' },
      { line: 3, status: 200, id: expect.stringMatching(UUID), result: 'duplicate' },
    ]);
  });

  describe('a bad line', () => {
    const wrong = (rest: Record<string, unknown>) => JSON.stringify({ ...anEventLine(), ...rest });
    const aged = (json: string) => `${JSON.stringify(anEventLine()).slice(0, -1)},${json}}`;

    it.each<[string, () => string, number, string, string]>([
      ['blank', () => '', 400, 'invalid', ''],
      ['not JSON', () => '{"kind":"event",', 400, 'invalid', ''],
      ['two values', () => '{}{}', 400, 'invalid', ''],
      ['a list', () => '[]', 400, 'invalid', ''],
      ['null', () => 'null', 400, 'invalid', ''],
      ['a number', () => '7', 400, 'invalid', ''],
      ['a name twice', () => aged('"component":"again"'), 400, 'invalid', ''],
      ['__proto__', () => aged('"__proto__":{"admin":true}'), 400, 'invalid', ''],
      ['NUL', () => aged('"email":"\\u0000"').replace('"email":"ada@example.com",', ''), 400, 'invalid', ''],
      ['no kind', () => wrong({ kind: undefined }), 400, 'invalid', '/kind'],
      ['an unknown kind', () => wrong({ kind: 'gossip' }), 400, 'invalid', '/kind'],
      ['a kind that all objects know', () => wrong({ kind: 'constructor' }), 400, 'invalid', '/kind'],
      ['a kind that is no text', () => wrong({ kind: ['event'] }), 400, 'invalid', '/kind'],
      ['a field missing', () => wrong({ email: undefined }), 400, 'invalid', '/email'],
      ['a field wrong', () => wrong({ email: 'nobody' }), 400, 'invalid', '/email'],
      ['an unknown field', () => wrong({ colour: 'red' }), 400, 'invalid', '/colour'],
      ['a foreign field', () => wrong({ product_id: 'x' }), 400, 'invalid', '/product_id'],
      ['an empty key', () => wrong({ idempotency_key: '' }), 400, 'invalid', '/idempotency_key'],
      ['a key with a blank', () => wrong({ idempotency_key: 'a b' }), 400, 'invalid', '/idempotency_key'],
      ['a state without a device', () => '{"kind":"state","data":{}}', 400, 'invalid', '/device_id'],
      ['a price of nothing', () => '{"kind":"price","product_id":"x","price":0}', 400, 'invalid', '/price'],
      [
        'a price of a product without a route',
        () => '{"kind":"price","product_id":"changes","price":1}',
        400,
        'invalid',
        '/product_id',
      ],
      ['an id at the end of a feed', () => wrong({ id: MAX_UUID }), 400, 'invalid', '/id'],
      ['firmware of a member', () => JSON.stringify(aFirmwareLine('x')), 403, 'forbidden', ''],
      ['a message to nobody', () => JSON.stringify(aMessageLine(randomUUID())), 404, 'unknown_recipient', ''],
      ['too long', () => wrong({ message: 'x'.repeat(64 * KIB) }), 413, 'too_large', ''],
      ['far too long', () => 'x'.repeat(1024 * KIB), 413, 'too_large', ''],
    ])('that is %s fails alone', async (_, text, status, code, pointer) => {
      const component = randomUUID();
      const line = text();
      const neighbour = anEventLine({ component });
      const { verdicts } = await sendBulk(project.admin, [neighbour, line, neighbour]);
      expect(statusesOf(verdicts)).toEqual([201, status, 201]);
      expect(verdicts[1]).toEqual({
        line: 2,
        status,
        error: { code, detail: expect.any(String), ...(status === 400 && { errors: expect.any(Array) }) },
      });
      if (pointer) expect(verdicts[1]!.error!.errors!.map((error) => error.pointer)).toEqual([pointer]);
      expect(await eventsOf(component)).toHaveLength(2);
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
    });

    it('that is not UTF-8 fails alone', async () => {
      const good = Buffer.from(ndjson([anEventLine()]));
      const bad = Buffer.concat([Buffer.from('{"kind":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}\n')]);
      const response = await fetch(`${system.url}/v1/bulk`, {
        method: 'POST',
        headers: { authorization: `Bearer ${project.admin.key!}`, 'content-type': 'application/x-ndjson' },
        body: Buffer.concat([good, bad, good]),
      });
      const verdicts = (await response.text()).trimEnd().split('\n');
      expect(verdicts.map((line) => (JSON.parse(line) as Verdict).status)).toEqual([201, 400, 201]);
    });

    it('is one of 64 KiB and a byte; one of 64 KiB is good', async () => {
      const empty = ndjson([anEventLine({ data: { fill: '' } })]).length - 1;
      const ofSize = (bytes: number) => anEventLine({ data: { fill: 'x'.repeat(bytes - empty) } });
      const { verdicts } = await sendBulk(project.admin, [ofSize(64 * KIB), ofSize(64 * KIB + 1)]);
      expect(statusesOf(verdicts)).toEqual([201, 413]);
    });
  });

  it('takes what stands behind the last newline for a line, unless it is nothing', async () => {
    const line = JSON.stringify(anEventLine());
    const statuses = async (text: string) => statusesOf(await new OpenBulk(project.admin).send(text).end());
    expect(await statuses(`${line}\n${line}`)).toEqual([201, 201]);
    expect(await statuses(`${line}\r\n${line}\r\n`)).toEqual([201, 201]);
  });

  it('keeps the digits of a price, written as a number or as text', async () => {
    const [number, text] = [randomUUID(), randomUUID()];
    const lines = [
      `{"kind":"price","product_id":"${number}","price":19.90}`,
      `{"kind":"price","product_id":"${text}","price":"19.90"}`,
    ];
    expect(statusesOf((await sendBulk(project.admin, lines)).verdicts)).toEqual([202, 202]);
    for (const id of [number, text])
      expect((await project.admin.get(`/v1/prices/${id}`)).body.price).toBe('19.90');
  });

  it('says with a conflict what a single route would say', async () => {
    const product_id = randomUUID();
    const lines = [aPriceLine({ product_id }), aPriceLine({ product_id, expected_previous_price: 1 })];
    const { verdicts } = await sendBulk(project.admin, lines);
    expect(verdicts[1]).toMatchObject({ status: 409, error: { code: 'conflict', current_price: '19.9' } });
  });

  describe('a whole that is refused', () => {
    const send = (headers: Record<string, string>, body: unknown = ndjson([anEventLine()])) =>
      project.admin.post('/v1/bulk', body, headers);

    it.each([
      ['gzip', { 'content-type': 'application/x-ndjson', 'content-encoding': 'gzip' }],
      ['JSON', { 'content-type': 'application/json' }],
      ['text', { 'content-type': 'text/plain' }],
      ['CSV', { 'content-type': 'text/csv' }],
    ])('is %s: 415', async (_, headers) => {
      const { status, body } = await send(headers, JSON.stringify(anEvent()));
      expect([status, body.code]).toEqual([415, 'unsupported_media_type']);
    });

    it('is JSON whose end never comes, from whoever: 415 at once', async () => {
      for (const key of [project.admin.key!, 'nobody']) {
        const head = rawRequest('POST /v1/bulk', {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          'content-length': '1000',
        });
        const { status, body } = await sendRaw(system.url, `${head}{`);
        expect([status, JSON.parse(body).code]).toEqual([415, 'unsupported_media_type']);
      }
    });

    it('is NDJSON anywhere else: 415', async () => {
      const answer = await project.admin.post('/v1/events', ndjson([anEvent()]), {
        'content-type': 'application/x-ndjson',
      });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    });

    it('is empty: 400', async () => {
      const { status, body } = await sendBulk(project.admin, []);
      expect([status, body.code]).toEqual([400, 'invalid']);
    });

    it('has an idempotency key that is none: 400', async () => {
      const { status, body } = await sendBulk(project.admin, [anEventLine()], { 'idempotency-key': 'a b' });
      expect([status, body.errors[0].pointer]).toEqual([400, '/Idempotency-Key']);
    });

    it('comes from nobody, or from one who may write nothing: 401, 403, and nothing is done', async () => {
      const component = randomUUID();
      const lines = [anEventLine({ component })];
      expect((await sendBulk(system.admin.as(undefined), lines)).status).toBe(401);
      for (const client of [project.viewer, system.operator])
        expect((await sendBulk(client, lines)).body.code).toBe('forbidden');
      expect(await eventsOf(component)).toEqual([]);
    });
  });

  describe('a line of a device', () => {
    it('is about itself, like its single requests', async () => {
      const [other, component] = [aDeviceId(), randomUUID()];
      const lines = [
        anEventLine({ component }),
        anEventLine({ device_id: other }),
        aStateLine(other),
        aFirmwareLine(other),
        aMessageLine(project.device_id, { device_id: other }),
        aMessageLine(project.device_id, { sender: other }),
        aPriceLine(),
        aMessageLine(project.device_id),
      ];
      const { verdicts } = await sendBulk(project.device, lines);
      expect(statusesOf(verdicts)).toEqual([201, 403, 403, 403, 403, 403, 403, 201]);
      for (const { error } of verdicts.slice(1, 7)) expect(error!.code).toBe('forbidden');
      const [event] = await all<{ device_id: string }>(project.admin, `/v1/events?component=${component}`);
      expect(event!.device_id).toBe(project.device_id);
      expect((await project.admin.get(`/v1/devices/${encodeURIComponent(other)}`)).status).toBe(404);
    });
  });

  describe('a line of a member', () => {
    it('registers the device that it names, in its own project', async () => {
      const [first, second] = [aDeviceId(), aDeviceId()];
      await sendBulk(project.editor, [aStateLine(first), anEventLine({ device_id: second })]);
      const other = await aProject(system);
      for (const id of [first, second]) {
        const path = `/v1/devices/${encodeURIComponent(id)}`;
        expect((await project.admin.get(path)).status).toBe(200);
        expect((await other.admin.get(path)).status).toBe(404);
      }
    });

    it('finds the devices that lines before it register, as whom a message is for and from', async () => {
      const [first, second, third] = [aDeviceId(), aDeviceId(), aDeviceId()];
      const lines = [
        aStateLine(first),
        aMessageLine(first, { device_id: second }),
        aMessageLine(second),
        anEventLine({ device_id: third }),
        aMessageLine(first, { sender: third }),
        aMessageLine(aDeviceId()),
      ];
      const { verdicts } = await sendBulk(project.admin, lines);
      expect(statusesOf(verdicts)).toEqual([200, 201, 201, 201, 201, 404]);
    });

    it('is of one project: the same device elsewhere is another', async () => {
      const other = await aProject(system);
      await sendBulk(project.admin, [aStateLine(other.device_id, { data: { mine: true } })]);
      expect((await other.admin.get(statePath(other.device_id))).status).toBe(404);
    });
  });

  describe('an idempotency key', () => {
    /** Of each kind: who sends it, the line, and the single request that is the same call. */
    const same = (): Record<
      string,
      {
        client: HttpClient;
        line: object;
        send: (key: string) => Promise<{ headers: Headers; status: number; body: { id?: string } }>;
      }
    > => {
      const { admin, device, device_id } = project;
      const keyed = (key: string) => ({ 'idempotency-key': key });
      const [event, message] = [anEvent({ device_id }), { recipient: device_id, message: randomUUID() }];
      const [report, price] = [{ data: { at: randomUUID() } }, { product_id: randomUUID(), price: 1.5 }];
      const firmware = aFirmwareEvent({ firmware: `1.0.0-${randomUUID()}` });
      const path = `/v1/devices/${encodeURIComponent(device_id)}`;
      return {
        event: {
          client: admin,
          line: { kind: 'event', ...event },
          send: (key) => admin.post('/v1/events', event, keyed(key)),
        },
        'event of a device': {
          client: device,
          line: { kind: 'event', ...anEvent() },
          send: (key) => device.post('/v1/events', anEvent(), keyed(key)),
        },
        state: {
          client: device,
          line: { kind: 'state', device_id, ...report },
          send: (key) => device.patch(`${path}/state`, report, keyed(key)),
        },
        firmware: {
          client: device,
          line: { kind: 'firmware', device_id, ...firmware },
          send: (key) => device.post(`${path}/firmware`, firmware, keyed(key)),
        },
        message: {
          client: admin,
          line: { kind: 'message', ...message },
          send: (key) => admin.post('/v1/messages', message, keyed(key)),
        },
        price: {
          client: admin,
          line: { kind: 'price', ...price },
          send: (key) => admin.post('/v1/prices', price, keyed(key)),
        },
      };
    };

    it.each(['event', 'event of a device', 'state', 'firmware', 'message', 'price'])(
      'makes a line and a single request one call: %s',
      async (kind) => {
        const { client, line, send } = same()[kind]!;
        const [first, second] = [randomUUID(), randomUUID()];
        const single = await send(first);
        const [again] = (await sendBulk(client, [{ ...line, idempotency_key: first }])).verdicts;
        expect(again).toMatchObject({ status: single.status, replayed: true });
        expect(again!.id).toBe(single.body.id);

        const other = same()[kind]!;
        const [made] = (await sendBulk(client, [{ ...other.line, idempotency_key: second }])).verdicts;
        expect(made!.replayed).toBeUndefined();
        const repeat = await other.send(second);
        expect(repeat.status).toBe(made!.status);
        expect(repeat.headers.get('idempotency-replayed')).toBe('true');
        expect(repeat.body.id).toBe(made!.id);
      },
    );

    it('refuses other content with both hashes', async () => {
      const idempotency_key = randomUUID();
      const lines = [{ invoice: 1 }, { invoice: 2 }].map((data) => anEventLine({ data, idempotency_key }));
      const { verdicts } = await sendBulk(project.admin, lines);
      const hash = expect.stringMatching(/^[\da-f]{64}$/);
      expect(verdicts[1]).toMatchObject({
        status: 409,
        error: { code: 'idempotency_conflict', first_content_hash: hash, content_hash: hash },
      });
    });

    it('of the whole is one of each line: the same file again has no second effect', async () => {
      const component = randomUUID();
      const keyed = { 'idempotency-key': 'x'.repeat(255 - 36) + randomUUID() };
      const lines = [anEventLine({ component }), 'broken', anEventLine({ component }), aPriceLine()];
      const first = (await sendBulk(project.admin, lines, keyed)).verdicts;
      expect(statusesOf(first)).toEqual([201, 400, 201, 202]);
      const again = (await sendBulk(project.admin, lines, keyed)).verdicts;
      expect(again).toEqual(
        first.map((verdict) => (verdict.status === 400 ? verdict : { ...verdict, replayed: true })),
      );
      expect(await eventsOf(component)).toHaveLength(2);
      const changed = [...lines.slice(0, 2), anEventLine({ component, message: 'other' }), lines[3]];
      expect(statusesOf((await sendBulk(project.admin, changed, keyed)).verdicts)).toEqual([
        201, 400, 409, 202,
      ]);
    });
  });

  it('answers while it is being sent', async () => {
    const bulk = new OpenBulk(project.admin).send([anEventLine()]);
    await eventually(() => bulk.answered === 1);
    bulk.send([anEventLine()]);
    await eventually(() => bulk.answered === 2);
    expect(statusesOf(await bulk.end())).toEqual([201, 201]);
  });

  describe('order', () => {
    beforeAll(async () => {
      const { activityEvents, deviceState, firmware, messages, pricing } = system;
      await Promise.all(
        [activityEvents, deviceState, firmware, messages, pricing].map((service) => service.start()),
      );
    });

    const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

    it('of the lines of one device is kept, with two replicas of each service', async () => {
      const ids = numbers(5).map(() => aDeviceId());
      const component = randomUUID();
      const lines = numbers(900).map((number) => {
        const device_id = ids[number % ids.length]!;
        return number % 3 === 0
          ? anEventLine({ component, device_id, message: String(number) })
          : aStateLine(device_id, { data: { number } });
      });
      const { verdicts } = await sendBulk(project.admin, lines);
      expect(new Set(statusesOf(verdicts))).toEqual(new Set([200, 201]));
      for (const [place, id] of ids.entries()) {
        const told = numbers(900).filter((number) => number % ids.length === place);
        const history = await all<{ patch: { number: number }; recorded_at: string }>(
          project.admin,
          `${statePath(id)}/history?order=asc`,
        );
        expect(history.map(({ patch }) => patch.number)).toEqual(told.filter((number) => number % 3 !== 0));
        const rows = await queryDatabase<{ message: string; created_at: Date }>(
          system.database_url,
          `SELECT message, created_at FROM activity_events.events
           WHERE component = '${component}' AND device_id = '${id}' ORDER BY id`,
        );
        const events = rows.map(({ message }) => Number(message));
        expect(events).toEqual(told.filter((number) => number % 3 === 0));
        // No line of one kind is recorded before an earlier line of the other kind.
        const times = new Map([
          ...history.map(({ patch, recorded_at }) => [patch.number, Date.parse(recorded_at)] as const),
          ...rows.map(({ message, created_at }) => [Number(message), created_at.getTime()] as const),
        ]);
        const inOrder = told.map((number) => times.get(number)!);
        expect(inOrder).toEqual([...inOrder].sort((one, other) => one - other));
      }
    });

    it('of prices is kept: each change follows the one before', async () => {
      const product_id = randomUUID();
      const lines = numbers(1_000).map((number) => aPriceLine({ product_id, price: number + 1 }));
      await sendBulk(project.admin, lines);
      const changes = await all<{ new_price: string }>(
        project.admin,
        `/v1/prices/changes?product_id=${product_id}`,
      );
      expect(changes.map(({ new_price }) => Number(new_price))).toEqual(numbers(1_000).map((n) => n + 1));
    });

    it('of messages is kept', async () => {
      const recipient = (await project.admin.post('/v1/devices', { id: aDeviceId() })).body.id as string;
      const lines = numbers(1_000).map((number) => aMessageLine(recipient, { message: String(number) }));
      await sendBulk(project.admin, lines);
      const messages = await all<{ message: string }>(
        project.admin,
        `/v1/messages?order=asc&recipient=${encodeURIComponent(recipient)}`,
      );
      expect(messages.map(({ message }) => Number(message))).toEqual(numbers(1_000));
    });
  });

  describe('a client that hangs up', () => {
    it('has on disk what was answered, and can send it all again', async () => {
      const component = randomUUID();
      const lines = Array.from({ length: 4_000 }, (_, number) =>
        anEventLine({ component, message: String(number), idempotency_key: `${component}-${number}` }),
      );
      const bulk = new OpenBulk(project.admin).send(lines.slice(0, 3_000));
      await eventually(() => bulk.answered > 500);
      bulk.hangUp();
      await bulk.over;
      const answered = bulk.verdicts;
      await nothingIsUnderWay(system.gateway);
      const kept = new Map((await eventsOf(component)).map(({ message, id }) => [Number(message), id]));
      expect(answered.length).toBeGreaterThan(500);
      for (const { line, id } of answered) expect(kept.get(line - 1)).toBe(id);

      const { verdicts } = await sendBulk(project.admin, lines);
      expect(statusesOf(verdicts)).toEqual(lines.map(() => 201));
      for (const { line, id } of answered) expect(verdicts[line - 1]).toMatchObject({ id, replayed: true });
      const events = await eventsOf(component);
      expect(events.map(({ message }) => Number(message)).sort((a, b) => a - b)).toEqual(
        lines.map((_, n) => n),
      );
    });

    it('in the middle of a line has not sent that line, even if it looks whole', async () => {
      const component = randomUUID();
      const bulk = new OpenBulk(project.admin).send([anEventLine({ component })]);
      bulk.send(JSON.stringify(anEventLine({ component })));
      await eventually(() => bulk.answered === 1);
      bulk.hangUp();
      await nothingIsUnderWay(system.gateway);
      expect(await eventsOf(component)).toHaveLength(1);
    });
  });

  it('holds a bounded number of lines for a client that does not read, and loses none', async () => {
    const lines = 150_000;
    const bulk = new OpenBulk(project.admin, { reading: false }).send('x\n'.repeat(lines));
    const held = new Set<number>();
    await eventually(async () => {
      held.add(await gauge(system.gateway, 'bulk_lines_held'));
      return Math.max(...held) >= 2_048;
    });
    expect(Math.max(...held)).toBeLessThanOrEqual(2_048 + 512);
    expect((await project.admin.post('/v1/events', anEvent())).status).toBe(201);
    bulk.read();
    const verdicts = await bulk.end();
    expect(verdicts.map(({ line }) => line)).toEqual(verdicts.map((_, index) => index + 1));
    expect(verdicts).toHaveLength(lines);
    await nothingIsUnderWay(system.gateway);
  });

  it('takes a bounded number of bulks of one key at once', async () => {
    const open = [1, 2, 3, 4].map(() => new OpenBulk(project.editor).send([anEventLine()]));
    expect(await Promise.all(open.map(({ status }) => status))).toEqual([200, 200, 200, 200]);
    const fifth = await sendBulk(project.editor, [anEventLine()]);
    expect([fifth.status, fifth.body.code]).toEqual([429, 'rate_limited']);
    expect(Number(fifth.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await sendBulk(project.admin, [anEventLine()])).status).toBe(200);
    await open[0]!.end();
    open[1]!.hangUp();
    await eventually(async () => {
      expect(await gauge(system.gateway, 'bulks')).toBe(2);
    });
    expect((await sendBulk(project.editor, [anEventLine()])).status).toBe(200);
    await Promise.all(open.slice(2).map((bulk) => bulk.end()));
  });

  it('leaves room for the bulks of other projects, however many keys one has', async () => {
    const narrow = await system.anotherGateway({ BULKS: '4' });
    const other = await aProject(system);
    const open = (client: HttpClient) => new OpenBulk(client.at(narrow.url)).send([anEventLine()]);
    const bulks = [open(project.admin), open(project.editor)];
    for (const bulk of bulks) expect(await bulk.status).toBe(200);
    const third = await sendBulk(project.device.at(narrow.url), [anEventLine()]);
    expect([third.status, third.body.code]).toEqual([503, 'unavailable']);
    bulks.push(open(other.admin));
    expect(await bulks[2]!.status).toBe(200);
    await Promise.all(bulks.map((bulk) => bulk.end()));
    await narrow.stop();
  });

  it('cuts off a client that sends nothing for long', async () => {
    const impatient = await system.anotherGateway({ BULK_IDLE_S: '1' });
    const bulk = new OpenBulk(project.admin.at(impatient.url)).send([anEventLine()]);
    expect(await bulk.over).toBeDefined();
    expect(statusesOf(bulk.verdicts)).toEqual([201]);
    await nothingIsUnderWay(impatient);
  });

  it('ends for a key that is revoked meanwhile', async () => {
    const member = await project.admin.post('/v1/members', {
      email: `${randomUUID()}@example.com`,
      role: 'editor',
    });
    const client = project.admin.as(member.body.key as string);
    const component = randomUUID();
    const bulk = new OpenBulk(client).send([anEventLine({ component })]);
    await eventually(() => bulk.answered === 1);
    await project.admin.delete(`/v1/members/${member.body.id as string}`);
    bulk.send([anEventLine({ component })]);
    expect(await bulk.over).toBeDefined();
    expect(await eventsOf(component)).toHaveLength(1);
  });

  it('ends for a key that was rotated meanwhile, once the overlap is over', async () => {
    const { body } = await project.admin.post('/v1/keys', { device_id: project.device_id });
    const client = project.admin.as(body.key as string);
    const component = randomUUID();
    const bulk = new OpenBulk(client).send([anEventLine({ component })]);
    await eventually(() => bulk.answered === 1);
    await project.admin.post(`/v1/keys/${body.id as string}/rotate`, { overlap_seconds: 1 });
    bulk.send([anEventLine({ component })]);
    await eventually(() => bulk.answered === 2);
    await eventually(async () => expect((await client.get('/v1/me')).status).toBe(401));
    bulk.send([anEventLine({ component })]);
    expect(await bulk.over).toBeDefined();
    expect(await eventsOf(component)).toHaveLength(2);
  });

  it('ends when the gateway stops, with a verdict for all that was read', async () => {
    const gateway = await system.anotherGateway();
    const component = randomUUID();
    const bulk = new OpenBulk(project.admin.at(gateway.url)).send([anEventLine({ component })]);
    await eventually(() => bulk.answered === 1);
    await gateway.stop();
    expect(await bulk.over).toBeDefined();
    expect(statusesOf(bulk.verdicts)).toEqual([201]);
    expect(await eventsOf(component)).toHaveLength(1);
  });

  it('is refused when the gateway stops before a line has come', async () => {
    const gateway = await system.anotherGateway();
    const bulk = new OpenBulk(project.admin.at(gateway.url)).send('{"kind":');
    await eventually(async () => expect(await gauge(gateway, 'bulks')).toBe(1));
    const began = performance.now();
    const stopped = gateway.stop();
    expect(await bulk.status).toBe(503);
    await stopped;
    // Before an idle bulk would be cut off.
    expect(performance.now() - began).toBeLessThan(10_000);
  });

  describe('with a service that is away', () => {
    let own: System;
    beforeAll(async () => {
      own = await startSystem();
    });
    afterAll(() => own.stop());

    it('waits for it, and holds nobody else up', async () => {
      await own.activityEvents.stop();
      const bulk = new OpenBulk(own.admin).send([aPriceLine(), anEventLine(), aPriceLine()]);
      await eventually(() => bulk.answered === 1);
      await own.activityEvents.start();
      expect(statusesOf(await bulk.end())).toEqual([202, 201, 202]);
    });

    it('counts the age of a report from when it was read, not from when the service is back', async () => {
      const id = aDeviceId();
      await own.deviceState.stop();
      const bulk = new OpenBulk(own.admin).send([aPriceLine(), aStateLine(id, { age_ms: 0 })]);
      await eventually(() => bulk.answered === 1);
      const read_before = Date.now();
      await own.deviceState.start();
      expect(statusesOf(await bulk.end())).toEqual([202, 200]);
      const [entry] = (await own.admin.get(`${statePath(id)}/history`)).body.history;
      expect(entry.clock).toBe('relative');
      expect(Date.parse(entry.timestamp as string)).toBeLessThanOrEqual(read_before);
    });

    it('gives up after a while, with a 503 for its lines alone', async () => {
      const impatient = await own.anotherGateway({ BULK_PATIENCE_S: '1' });
      await own.pricing.stop();
      const lines = [anEventLine(), aPriceLine(), anEventLine(), aPriceLine()];
      const { verdicts } = await sendBulk(own.admin.at(impatient.url), lines);
      expect(statusesOf(verdicts)).toEqual([201, 503, 201, 503]);
      expect(verdicts[1]!.error!.code).toBe('unavailable');
    });
  });

  describe('that has had no answer', () => {
    let own: System;
    let double: BusConnection;
    beforeAll(async () => {
      own = await startSystem();
      double = await BusConnection.open({ name: 'double', url: own.nats.url });
    });
    afterAll(async () => {
      await double.close();
      await own.stop();
    });

    /** Somebody takes the lines in the service's place and never answers: what has become of them, nobody can say. */
    const unanswered = async (
      client: HttpClient,
      lines: object[],
      { subject }: { subject: string },
      service: SystemService,
    ): Promise<number[]> => {
      await service.stop();
      const taken = double.nats.subscribe(subject, { queue: subject.split('.')[0]!, max: 1 });
      await double.nats.flush();
      const bulk = new OpenBulk(client).send(lines);
      for await (const _ of taken);
      await service.start();
      return statusesOf(await bulk.end());
    };
    const keyed = () => ({ idempotency_key: randomUUID() });

    it('repeats events with a key or an id of their own', async () => {
      const component = randomUUID();
      const lines = [
        anEventLine({ component, message: 'no key' }),
        anEventLine({ component, message: 'key', ...keyed() }),
        anEventLine({ component, message: 'own id', id: randomUUID() }),
      ];
      expect(await unanswered(own.admin, lines, recordEvent, own.activityEvents)).toEqual([503, 201, 201]);
      const { body } = await own.admin.get(`/v1/events?component=${component}`);
      const messages = body.events.map(({ message }: { message: string }) => message);
      expect(messages.sort()).toEqual(['key', 'own id']);
    });

    it('repeats states with a key', async () => {
      const timestamp = new Date().toISOString();
      const evidence = [{}, keyed(), { sequence: 1 }, { timestamp }, { age_ms: 1 }];
      const lines = evidence.map((rest) => aStateLine(aDeviceId(), rest));
      const statuses = await unanswered(own.admin, lines, reportState, own.deviceState);
      expect(statuses).toEqual([503, 200, 503, 503, 503]);
    });

    it('repeats prices with a key', async () => {
      const expecting = { expected_previous_price: 1 };
      const lines = [{}, keyed(), expecting].map((rest) => aPriceLine(rest));
      const statuses = await unanswered(own.admin, lines, reprice, own.pricing);
      expect(statuses).toEqual([503, 202, 503]);
    });

    it('repeats firmware with a key or a time', async () => {
      const { body } = await own.admin.post('/v1/devices', { id: aDeviceId() });
      const evidence = [{ timestamp: new Date().toISOString() }, keyed(), {}];
      const lines = evidence.map((rest, index) =>
        aFirmwareLine(body.id as string, { firmware: `1.0.${index}`, ...rest }),
      );
      const device = own.admin.as(body.key as string);
      const statuses = await unanswered(device, lines, recordFirmware, own.firmware);
      expect(statuses).toEqual([201, 201, 503]);
    });
  });
});
