import { type AnyEntry } from '#contracts';
import { eventually } from '#testing';
import { aDeviceId, aFirmwareEvent, anEvent } from './builders.js';
import { EventStream, Refusal } from './event-stream.js';
import { type Answer, type HttpClient } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

describe('the stream', () => {
  let system: System;
  let project: Project;
  const open: EventStream[] = [];
  beforeAll(async () => {
    system = await startSystem({ STREAM_PING_S: '1' });
  });
  beforeEach(async () => {
    project = await aProject(system);
  });
  afterEach(() => Promise.all(open.splice(0).map((stream) => stream.close())));
  afterAll(() => system.stop());

  const listen = async (client: HttpClient, query = '', last_id = ''): Promise<EventStream> => {
    const stream = await EventStream.open(client, `/v1/stream?${query}`, last_id);
    open.push(stream);
    return stream;
  };
  const refusalOf = (client: HttpClient, query = '', last_id = ''): Promise<Refusal> =>
    listen(client, query, last_id).then(
      () => {
        throw new Error('it was opened');
      },
      (refusal: unknown) => refusal as Refusal,
    );
  const statePath = (device_id: string): string => `/v1/devices/${encodeURIComponent(device_id)}/state`;
  const post = async (client = project.editor, rest: object = {}): Promise<string> =>
    (await client.post('/v1/events', anEvent({ ...rest }))).body.id as string;
  const reprice = (price: string): Promise<Answer> =>
    project.editor.post('/v1/prices', { product_id: 'p', price });
  /** One of each kind, about the project's device where there is one. */
  const oneOfEach = async ({ admin, editor, device, device_id }: Project): Promise<void> => {
    const answers = [
      await device.patch(statePath(device_id), { data: { on: true } }),
      await device.post(`/v1/devices/${encodeURIComponent(device_id)}/firmware`, aFirmwareEvent()),
      await editor.post('/v1/events', anEvent({ device_id })),
      await admin.post('/v1/messages', { recipient: device_id, message: 'hello\n"you"' }),
      await reprice('19.90'),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 201, 201, 202]);
  };
  const kindsOf = (entries: AnyEntry[]): string[] => entries.map(({ kind }) => kind).sort();
  const byId = (entries: AnyEntry[]): AnyEntry[] => entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const timeline = async (client: HttpClient): Promise<AnyEntry[]> =>
    (await client.get('/v1/timeline?limit=1000')).body.entries as AnyEntry[];
  /** These entries, each once, and then one more, behind which nothing else can be on its way. */
  const expectExactly = async (stream: EventStream, ids: string[]): Promise<void> => {
    const last = await post();
    await eventually(() => stream.ids.includes(last), 20_000);
    expect(stream.ids.toSorted()).toEqual([...ids, last].sort());
  };

  describe('live', () => {
    it('sends what is committed, as the timeline shows it, each with its kind and an id', async () => {
      const stream = await listen(project.admin);
      await oneOfEach(project);
      await eventually(() => expect(stream.events).toHaveLength(5));
      expect(byId(stream.entries)).toEqual(byId(await timeline(project.admin)));
      for (const { event, data } of stream.events) expect(event).toBe(data.kind);
      expect(new Set(stream.events.map(({ id }) => id)).size).toBe(5);
    });

    it('is an event stream that nobody on the way keeps, and says when to come back', async () => {
      const stream = await listen(project.viewer);
      expect(stream.headers).toMatchObject({
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      });
      expect(stream.headers['content-encoding']).toBeUndefined();
      expect(stream.headers['x-request-id']).toEqual(expect.any(String));
      await eventually(() => expect(stream.retry_ms).toBeGreaterThan(0));
    });

    it('says that it is alive when nothing happens', async () => {
      const stream = await listen(project.viewer);
      await eventually(() => expect(stream.comments.slice(0, 2)).toEqual(['ping', 'ping']));
      expect(stream.events).toEqual([]);
    });

    it('begins with what is committed from now on', async () => {
      const before = await listen(project.admin);
      await oneOfEach(project);
      await eventually(() => expect(before.events).toHaveLength(5));
      const stream = await listen(project.admin);
      await expectExactly(stream, []);
    });

    it('keeps the order of commits: of a device its versions, of a product its chain', async () => {
      const stream = await listen(project.admin, 'kinds=state,price');
      for (let count = 1; count <= 20; count += 1) {
        await project.device.patch(statePath(project.device_id), { data: { count } });
        await reprice(String(count));
      }
      const numbersOf = (kind: string): number[] =>
        stream.entries.flatMap((entry) => {
          if (entry.kind !== kind) return [];
          return entry.kind === 'state' ? [entry.version] : entry.kind === 'price' ? [entry.sequence] : [];
        });
      const all = Array.from({ length: 20 }, (_, index) => index + 1);
      await eventually(() => expect([numbersOf('state'), numbersOf('price')]).toEqual([all, all]));
    });

    it('sends only the kinds that are asked for', async () => {
      const stream = await listen(project.admin, 'kinds=firmware,message');
      await oneOfEach(project);
      await eventually(() => expect(kindsOf(stream.entries)).toEqual(['firmware', 'message']));
    });

    it('of a device sends what concerns it', async () => {
      const { admin, editor, device_id } = project;
      const stream = await listen(admin, new URLSearchParams({ device_id }).toString());
      await post(editor, { device_id: aDeviceId() });
      await admin.patch(statePath(aDeviceId()), { data: {} });
      await oneOfEach(project);
      await eventually(() =>
        expect(kindsOf(stream.entries)).toEqual(['event', 'firmware', 'message', 'state']),
      );
    });
  });

  describe('shows', () => {
    it('each caller what its timeline shows', async () => {
      const other = await aProject(system);
      const { admin, editor, viewer, device } = project;
      const callers = [admin, editor, viewer, device, other.admin, other.device];
      const streams = await Promise.all(callers.map((client) => listen(client)));
      await oneOfEach(project);
      await post();
      await admin.patch(statePath(aDeviceId()), { data: {} });
      await editor.post('/v1/messages', { recipient: project.device_id, message: 'last' });
      await eventually(() =>
        expect(streams.map(({ entries }) => entries.length)).toEqual([8, 7, 6, 5, 0, 0]),
      );
      for (const [index, client] of callers.entries())
        expect(byId(streams[index]!.entries)).toEqual(byId(await timeline(client)));
    });
  });

  describe('resumes', () => {
    it('behind the last id, at any gateway', async () => {
      const other = await system.anotherGateway();
      const stream = await listen(project.admin);
      const [first, second] = [await post(), await post()];
      await eventually(() => expect(stream.ids).toEqual([first, second]));
      const [id] = stream.events.map((event) => event.id);
      await stream.close();
      await oneOfEach(project);
      for (const client of [project.admin, project.admin.at(other.url)]) {
        const resumed = await listen(client, '', id);
        await eventually(() => expect(resumed.entries).toHaveLength(6));
        expect(resumed.ids).toContain(second);
        expect(resumed.ids).not.toContain(first);
        expect(new Set(resumed.ids).size).toBe(6);
      }
      await other.stop();
    });

    it('what was cut off before the first entry', async () => {
      const stream = await listen(project.admin);
      await eventually(() => stream.last_id !== '');
      await stream.close();
      const missed = await post();
      const resumed = await listen(project.admin, '', stream.last_id);
      await eventually(() => expect(resumed.ids).toEqual([missed]));
    });

    it('without a gap or a repeat, however often it is cut off while others write', async () => {
      const gateways = [system.gateway, await system.anotherGateway()];
      let stream = await listen(project.admin);
      let isWriting = true;
      const written: string[] = [];
      const writers = Array.from({ length: 4 }, async () => {
        while (isWriting) written.push(await post());
      });
      const seen: string[] = [];
      for (let cuts = 0; cuts < 10; cuts += 1) {
        await eventually(() => stream.ids.length >= 20);
        await stream.close();
        seen.push(...stream.ids);
        stream = await listen(project.admin.at(gateways[cuts % 2]!.url), '', stream.last_id);
      }
      isWriting = false;
      await Promise.all(writers);
      written.push(await post());
      await eventually(() => stream.ids.includes(written.at(-1)!));
      seen.push(...stream.ids);
      expect(seen.toSorted()).toEqual(written.toSorted());
      await gateways[1]!.stop();
    });

    it.each([
      'x',
      'event:1:x',
      'rumour:1:0198c0de-0000-7000-8000-000000000001',
      `event:${'9'.repeat(15)}:0198c0de-0000-7000-8000-000000000001`,
    ])('not behind what it has never sent: %s', async (id) => {
      const { status, body } = await refusalOf(project.admin, '', id);
      expect({ status, places: body.errors }).toEqual({
        status: 400,
        places: [{ pointer: '/Last-Event-ID', detail: expect.any(String) }],
      });
    });
  });
});
