import { jetstreamManager, type StreamAPI } from '@nats-io/jetstream';
import { randomUUID } from 'node:crypto';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { get, type ServerResponse } from 'node:http';
import { setTimeout } from 'node:timers/promises';
import { Client } from 'pg';
import { BusConnection } from '#bus';
import { type AnyEntry } from '#contracts';
import { prepareSchema } from '#embedded';
import { streamName } from '#feeds';
import { DIRECTIONS, eventually, Link, queryDatabase } from '#testing';
import { aDeviceId, aFirmwareEvent, anEmail, anEvent } from './builders.js';
import { EventStream, Refusal } from './event-stream.js';
import { goBackBefore } from './former-database.js';
import { HttpClient, type Answer } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

describe('the stream', () => {
  let system: System;
  let project: Project;
  const open: EventStream[] = [];
  beforeAll(async () => {
    system = await startSystem({ STREAM_PING_S: '1' }, { tellsAudit: false });
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
  /** The gateway's side of the next request. */
  const nextAnswer = (): Promise<ServerResponse> =>
    new Promise((resolve) => {
      const onRequest = (message: unknown): void => {
        unsubscribe('http.server.request.start', onRequest);
        resolve((message as { response: ServerResponse }).response);
      };
      subscribe('http.server.request.start', onRequest);
    });
  const statePath = (device_id: string): string => `/v1/devices/${encodeURIComponent(device_id)}/state`;
  const post = async (client = project.editor, rest: object = {}): Promise<string> =>
    (await client.post('/v1/events', anEvent({ ...rest }))).body.id as string;
  const postAs = (id: string): Promise<Answer> => project.editor.post('/v1/events', anEvent({ id }));
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

  /** Past all services. */
  const askJetStream = async <T>(ask: (streams: StreamAPI) => Promise<T>): Promise<T> => {
    const outside = await BusConnection.open({ name: 'outside', url: system.nats.url });
    try {
      return await ask((await jetstreamManager(outside.nats)).streams);
    } finally {
      await outside.close();
    }
  };
  /** How many gateways follow the feed of events. */
  const followers = (): Promise<number> =>
    askJetStream(async (streams) => (await streams.info(streamName('event'))).state.consumer_count);

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

    it('is never cut for its silence, however seldom it says so', async () => {
      const [answer, stream] = await Promise.all([nextAnswer(), listen(project.viewer)]);
      await eventually(() => stream.first_id !== undefined);
      expect(answer.socket!.timeout).toBe(0);
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

  describe('tells', () => {
    it('how far it is, and no id of what others have written', async () => {
      const other = await aProject(system);
      const stream = await listen(other.admin);
      await eventually(() => stream.first_id !== undefined);
      await oneOfEach(project);
      const placesOf = ({ last_id }: EventStream): string[] => last_id.split(',');
      const hasMoved = (one: EventStream): boolean =>
        stream.first_id!.split(',').every((place, index) => placesOf(one)[index] !== place);
      await eventually(() => hasMoved(stream));
      const resumed = await listen(other.admin, '', stream.first_id);
      await eventually(() => hasMoved(resumed));
      await post();
      const own = await post(other.editor);
      await post();
      await eventually(() => expect([stream.ids, resumed.ids]).toEqual([[own], [own]]));
      const { length } = stream.comments;
      await eventually(() => stream.comments.length > length + 1);
      const told = [...stream.told, ...resumed.told].join();
      const foreign = (await timeline(project.admin)).map(({ id }) => id);
      expect(foreign).toHaveLength(7);
      expect(foreign.filter((id) => told.includes(id))).toEqual([]);
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

    const send = async (): Promise<string> =>
      (await project.admin.post('/v1/messages', { recipient: project.device_id, message: 'hello' })).body
        .id as string;
    const unsend = async (id: string): Promise<void> =>
      expect((await project.admin.delete(`/v1/messages/${id}`)).status).toBe(204);

    it('behind the newest message there is, when that has been deleted since', async () => {
      const stream = await listen(project.admin, 'kinds=message');
      const first = await send();
      await eventually(() => expect(stream.ids).toEqual([first]));
      await stream.close();
      await unsend(first);
      const resumed = await listen(project.admin, 'kinds=message', stream.last_id);
      const second = await send();
      await eventually(() => expect(resumed.ids).toEqual([second]));
    });

    it('whatever else there is, when the newest messages have been deleted while somebody listened', async () => {
      const published = await listen(project.admin, 'kinds=message');
      const last = await send();
      await eventually(() => expect(published.ids).toEqual([last]));
      await unsend(last);
      const gateway = await system.anotherGateway();
      const admin = project.admin.at(gateway.url);
      const before = await listen(admin, 'kinds=message');
      const newest = await send();
      await eventually(() => expect(before.ids).toEqual([newest]));
      await unsend(newest);
      const stream = await listen(admin, 'kinds=message,event');
      await eventually(() => stream.first_id !== undefined);
      const posted = await post();
      await eventually(() => expect(stream.ids).toContain(posted));
      await gateway.stop();
    });

    it('slowly for a slow reader, however long that takes', async () => {
      const stream = await listen(project.admin);
      await eventually(() => stream.last_id !== '');
      await stream.close();
      const written: string[] = [];
      for (let count = 0; count < 240; count += 1)
        written.push(await post(project.editor, { data: { text: randomUUID().padEnd(100_000, 'x') } }));
      const resumed = await EventStream.open(project.admin, '/v1/stream', stream.last_id, () => {
        resumed.pause();
        globalThis.setTimeout(() => resumed.resume(), 50);
      });
      open.push(resumed);
      await Promise.race([resumed.ended, eventually(() => resumed.ids.length === written.length, 60_000)]);
      expect(resumed.ids).toEqual(written);
    }, 90_000);

    it('as fast as it is read: little waits for who does not read', async () => {
      const query = 'kinds=state,event';
      const stream = await listen(project.admin, query);
      await eventually(() => stream.last_id !== '');
      await stream.close();
      const text = (length: number): string => randomUUID().padEnd(length, 'x');
      for (let count = 0; count < 100; count += 1) {
        await post(project.editor, { data: { text: text(100_000) } });
        await project.device.patch(statePath(project.device_id), { data: { text: text(60_000) } });
      }
      const [answer, resumed] = await Promise.all([
        nextAnswer(),
        listen(project.admin, query, stream.last_id),
      ]);
      resumed.pause();
      const waiting: number[] = [];
      await eventually(() => {
        waiting.push(answer.writableLength);
        return answer.writableEnded;
      }, 20_000);
      expect(Math.max(...waiting)).toBeGreaterThan(64 * 1024);
      expect(Math.max(...waiting)).toBeLessThan(512 * 1024);
      resumed.resume();
      await resumed.ended;
      const rest = await listen(project.admin, query, resumed.last_id);
      await eventually(() => resumed.ids.length + rest.ids.length === 200, 20_000);
      expect(new Set([...resumed.ids, ...rest.ids]).size).toBe(200);
    }, 60_000);

    it('without a gap or a repeat, however often it is cut off while others write', async () => {
      const gateways = [system.gateway, await system.anotherGateway()];
      let stream = await listen(project.admin);
      const writing = { isOn: true };
      const written: string[] = [];
      const writers = Array.from({ length: 4 }, async () => {
        while (writing.isOn) written.push(await post());
      });
      const seen: string[] = [];
      for (let cuts = 0; cuts < 10; cuts += 1) {
        await eventually(() => stream.ids.length >= 20);
        await stream.close();
        seen.push(...stream.ids);
        stream = await listen(project.admin.at(gateways[cuts % 2]!.url), '', stream.last_id);
      }
      writing.isOn = false;
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

  /** A client that always comes back and goes on from its last id, until it is told to stop. */
  const reader = (client: HttpClient): { ids: () => string[]; stop: () => Promise<void> } => {
    const seen: EventStream[] = [];
    const reading = { isOn: true };
    const running = (async () => {
      while (reading.isOn) {
        try {
          seen.push(await listen(client, '', seen.at(-1)?.last_id));
          await seen.at(-1)!.ended;
        } catch (error) {
          if (!(error instanceof Refusal) || error.status !== 503) throw error;
        }
      }
    })();
    return {
      ids: () => seen.flatMap(({ ids }) => ids),
      stop: async () => {
        reading.isOn = false;
        await seen.at(-1)?.close();
        await running;
      },
    };
  };

  describe('loses and repeats nothing', () => {
    // It may be wiped already, and not there again yet.
    const wipe = (): Promise<boolean> =>
      askJetStream((streams) => eventually(() => streams.delete(streamName('event'))));
    const killLeaders = (): Promise<unknown> =>
      queryDatabase(
        system.database_url,
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity JOIN pg_locks USING (pid)
         WHERE locktype = 'advisory' AND datname = current_database() AND pid <> pg_backend_pid()`,
        [],
      );
    const restartNats = async (): Promise<void> => (await system.nats.crash()).restart();

    it.each<[string, () => Promise<unknown>]>([
      ['JetStream is wiped', wipe],
      ['the leaders of the relays are killed', killLeaders],
      ['NATS is killed and comes back', restartNats],
      ['a replica of a service stops', async () => (await system.activityEvents.start()).stop()],
    ])(
      'when %s',
      async (_, fault) => {
        const { ids, stop } = reader(project.admin);
        const writing = { isOn: true };
        const written = new Set<string>();
        const write = async (): Promise<void> => {
          const id = randomUUID();
          await eventually(async () => [200, 201].includes((await postAs(id)).status), 30_000);
          written.add(id);
        };
        await eventually(async () => {
          await write();
          return ids().length > 0;
        });
        const before = new Set(written);
        const writers = Array.from({ length: 4 }, async () => {
          while (writing.isOn) await write();
        });
        const writeMore = (): Promise<unknown> => {
          const { size } = written;
          return eventually(() => written.size >= size + 50, 30_000);
        };
        try {
          for (let times = 0; times < 2; times += 1) {
            await writeMore();
            await fault();
          }
          await writeMore();
        } finally {
          writing.isOn = false;
          await Promise.all(writers);
        }
        await eventually(() => {
          const seen = new Set(ids());
          expect([...written].filter((id) => !seen.has(id) && !before.has(id))).toEqual([]);
        }, 30_000).finally(stop);
        expect(new Set(ids()).size).toBe(ids().length);
      },
      120_000,
    );

    it('when one service is away while another takes its time', async () => {
      const stream = await listen(project.admin);
      const first = await post();
      await eventually(() => stream.ids.includes(first));
      await system.pricing.stop();
      const slow = new Client({ connectionString: system.database_url });
      await slow.connect();
      await slow.query('BEGIN; LOCK TABLE activity_events.events');
      await wipe();
      // Until then the reader has asked for prices more than once.
      const { length } = stream.comments;
      await eventually(() => stream.comments.length > length);
      const second = randomUUID();
      await slow.query(
        `INSERT INTO activity_events.events (project_id, id, component, environment, email, message, data, occurred_at, created_at)
         VALUES ($1, $2, 'pump', 'test', 'ada@example.com', 'late', '{}', now(), now())`,
        [project.id, second],
      );
      await slow.query('COMMIT');
      await slow.end();
      await eventually(() => stream.ids.includes(second));
      await system.pricing.start();
      const last = await post();
      await eventually(() => stream.ids.includes(last), 20_000);
      expect(stream.ids).toEqual([...new Set(stream.ids)]);
    });

    it('and holds nothing of the others back when one service is away and the feeds begin anew', async () => {
      const stream = await listen(project.admin);
      const ids = [await post()];
      await eventually(() => stream.ids.includes(ids[0]!));
      await system.firmware.stop();
      try {
        await wipe();
        await eventually(async () => {
          ids.push(await post());
          expect(await followers()).toBe(1);
        });
        // The first of them begins the feed.
        for (let count = 0; count < 3; count += 1) {
          const id = await post();
          ids.push(id);
          await eventually(() => stream.ids.includes(id));
        }
      } finally {
        await system.firmware.start();
      }
      const last = await post();
      await eventually(() => stream.ids.includes(last), 20_000);
      expect(stream.ids).toEqual(expect.arrayContaining(ids));
      expect(stream.ids).toEqual([...new Set(stream.ids)]);
    });

    it('and holds nothing of the others back when the feed of one kind cannot be followed', async () => {
      const stream = await listen(project.admin);
      const ids = [await post()];
      await eventually(() => stream.ids.includes(ids[0]!));
      // Leads in place of the relay of messages, and makes no stream anew.
      const leader = new Client({ connectionString: system.database_url });
      await leader.connect();
      await system.messages.stop();
      await leader.query(`SELECT pg_advisory_lock(hashtextextended('messages.messages relay', 0))`);
      await system.messages.start();
      try {
        await askJetStream((streams) => streams.delete(streamName('message')));
        for (let count = 0; count < 5; count += 1) {
          const id = await post();
          ids.push(id);
          await eventually(() => stream.ids.includes(id));
        }
      } finally {
        await leader.end();
      }
      expect(stream.ids).toEqual(expect.arrayContaining(ids));
      expect(stream.ids).toEqual([...new Set(stream.ids)]);
    });
  });

  it('asks for nothing while its gateway cannot know who may listen, and goes on once it can', async () => {
    const url = new URL((await prepareSchema(system.database_url, 'auth')).service);
    const link = await Link.to(Number(url.port));
    url.port = String(link.port);
    const far = await system.anotherGateway({ DATABASE_URL: url.href });
    const metrics = new HttpClient(`http://127.0.0.1:${far.health_port}`);
    const calls = async (): Promise<string> =>
      /^flotilla_bus_calls \d+$/m.exec((await metrics.get('/metrics')).body as string)![0];
    try {
      const stream = await listen(project.admin.at(far.url));
      const ids = [await post()];
      await eventually(() => stream.ids.includes(ids[0]!));
      link.cut();
      // A lease lasts for three seconds.
      await setTimeout(4_000);
      ids.push(await post());
      await setTimeout(1_000);
      const asked = await calls();
      await setTimeout(1_000);
      expect(await calls()).toBe(asked);
      expect(stream.ids).toEqual(ids.slice(0, 1));
      link.heal();
      await eventually(() => stream.ids.length === ids.length);
      expect(stream.ids).toEqual(ids);
    } finally {
      link.heal();
      await far.stop();
      link.close();
    }
  });

  describe('ends', () => {
    const problemOf = ({ events }: EventStream): unknown =>
      events.filter(({ event }) => event === 'problem').map(({ data }) => data.code as string);

    it('with the key that it was opened with, and says so', async () => {
      const stream = await listen(project.viewer);
      const { key_id } = (await project.viewer.get('/v1/me')).body;
      await project.admin.delete(`/v1/keys/${key_id as string}`);
      await stream.ended;
      expect(problemOf(stream)).toEqual(['unauthenticated']);
      expect((await refusalOf(project.viewer)).status).toBe(401);
    });

    it('when its member goes, or gets another role, at every gateway', async () => {
      const other = await system.anotherGateway();
      const [gone, changed] = await Promise.all([
        listen(project.viewer.at(other.url)),
        listen(project.editor.at(other.url)),
      ]);
      await project.admin.delete(`/v1/members/${project.viewer_id}`);
      await project.admin.patch(`/v1/members/${project.editor_id}`, { role: 'viewer' });
      await Promise.all([gone.ended, changed.ended]);
      expect([problemOf(gone), problemOf(changed)]).toEqual([['unauthenticated'], ['unauthenticated']]);
      await other.stop();
    });

    it('when its device moves, and shows it nothing of where it was', async () => {
      const other = await aProject(system);
      const stream = await listen(project.device);
      const path = `/v1/devices/${encodeURIComponent(project.device_id)}/move`;
      await system.operator.post(path, { project_id: other.id });
      await stream.ended;
      await project.admin.patch(statePath(project.device_id), { data: { here: true } });
      await project.device.patch(statePath(project.device_id), { data: { there: true } });
      const resumed = await listen(project.device, 'kinds=state', stream.last_id);
      await eventually(() => expect(resumed.entries).toMatchObject([{ patch: { there: true } }]));
    });

    it('when its project is deleted, at every gateway', async () => {
      const other = await system.anotherGateway();
      const streams = await Promise.all([listen(project.viewer), listen(project.device.at(other.url))]);
      await system.operator.delete(`/v1/projects/${project.id}`);
      await Promise.all(streams.map(({ ended }) => ended));
      expect(streams.map(problemOf)).toEqual([['unauthenticated'], ['unauthenticated']]);
      await other.stop();
    });

    it('when the database has gone back to a time when there was no such key', async () => {
      const { body } = await project.admin.post('/v1/keys', { member_id: project.viewer_id });
      const [stream, other] = [
        await listen(project.admin.as(body.key as string)),
        await listen(project.viewer),
      ];
      await goBackBefore(system, body.id as string);
      await stream.ended;
      expect(problemOf(stream)).toEqual(['unauthenticated']);
      const id = await post();
      await eventually(() => other.ids.includes(id));
    });

    it('when its key was rotated, with an overlap, while the gateway was cut off from its database', async () => {
      const url = new URL((await prepareSchema(system.database_url, 'auth')).service);
      const link = await Link.to(Number(url.port));
      url.port = String(link.port);
      const far = await system.anotherGateway({ DATABASE_URL: url.href });
      try {
        const { body } = await project.admin.post('/v1/keys', { member_id: project.viewer_id });
        const stream = await listen(project.admin.as(body.key as string).at(far.url));
        link.cut();
        const rotated = await project.admin.post(`/v1/keys/${body.id as string}/rotate`, {
          overlap_seconds: 600,
        });
        expect(rotated.status).toBe(201);
        link.heal();
        await stream.ended;
        expect(problemOf(stream)).toEqual(['unauthenticated']);
      } finally {
        link.heal();
        await far.stop();
        link.close();
      }
    });

    it('when its key expires', async () => {
      const expires_at = new Date(Date.now() + 1_500).toISOString();
      const { key } = (await project.admin.post('/v1/keys', { member_id: project.viewer_id, expires_at }))
        .body;
      const stream = await listen(project.viewer.as(key as string));
      await stream.ended;
      expect(problemOf(stream)).toEqual(['unauthenticated']);
    });

    it('for a reader that is too slow, which is told, and goes on from its last id', async () => {
      const narrow = await system.anotherGateway({ STREAM_BUFFER_KIB: '64' });
      const [slow, quick] = [await listen(project.admin.at(narrow.url)), await listen(project.admin)];
      slow.pause();
      const written: string[] = [];
      const data = { text: 'x'.repeat(200_000) };
      for (let count = 0; count < 60; count += 1) {
        written.push(await post(project.editor, { data }));
        await eventually(() => quick.ids.length === written.length);
      }
      slow.resume();
      await slow.ended;
      expect(problemOf(slow)).toEqual(['unavailable']);
      expect(slow.ids.length).toBeLessThan(written.length);
      const resumed = await listen(project.admin.at(narrow.url), '', slow.last_id);
      await eventually(() => resumed.ids.includes(written.at(-1)!));
      expect([...slow.ids, ...resumed.ids].sort()).toEqual(written.toSorted());
      await narrow.stop();
    }, 60_000);

    it('when its gateway stops, at once and without a problem', async () => {
      const other = await system.anotherGateway();
      const stream = await listen(project.admin.at(other.url));
      await Promise.all([other.stop(), stream.ended]);
      expect(stream.events).toEqual([]);
      expect(stream.wasCut).toBe(false);
    });
  });

  describe('is refused', () => {
    it('to a key that holds as many as it may, until one of them is closed', async () => {
      const narrow = await system.anotherGateway({ STREAMS_PER_KEY: '2' });
      const client = project.admin.at(narrow.url);
      const [first] = [await listen(client), await listen(client)];
      const { status, headers, body } = await refusalOf(client);
      expect([status, headers['retry-after'], body.code]).toEqual([429, '5', 'rate_limited']);
      await listen(project.viewer.at(narrow.url));
      await first.close();
      await eventually(() => listen(client).then(Boolean));
      await narrow.stop();
    });

    it('to nobody for the stream of a client that hung up while its key was looked up', async () => {
      const url = new URL((await prepareSchema(system.database_url, 'auth')).service);
      const link = await Link.to(Number(url.port));
      url.port = String(link.port);
      const far = await system.anotherGateway({ DATABASE_URL: url.href, STREAMS_PER_KEY: '1' });
      const client = project.viewer.at(far.url);
      try {
        link.silence(DIRECTIONS);
        const headers = { authorization: `Bearer ${client.key!}` };
        const request = get(new URL('/v1/stream', far.url), { headers, agent: false });
        request.on('error', () => undefined);
        const answer = await nextAnswer();
        request.destroy();
        await eventually(() => answer.closed);
        link.heal();
        expect((await client.get('/v1/me')).status).toBe(200);
        expect((await listen(client)).status).toBe(200);
      } finally {
        link.heal();
        await far.stop();
        link.close();
      }
    });

    it('at a gateway that holds as many as it may', async () => {
      const narrow = await system.anotherGateway({ STREAMS_MAX: '1' });
      await listen(project.admin.at(narrow.url));
      const { status, headers, body } = await refusalOf(project.viewer.at(narrow.url));
      expect([status, headers['retry-after'], body.code]).toEqual([503, '5', 'unavailable']);
      expect((await project.viewer.at(narrow.url).get('/v1/me')).status).toBe(200);
      await narrow.stop();
    });

    it('to a project that holds as many as are left for others, however many keys it has', async () => {
      const narrow = await system.anotherGateway({ STREAMS_MAX: '4' });
      const other = await aProject(system);
      for (const client of [project.admin, project.editor]) await listen(client.at(narrow.url));
      expect((await refusalOf(project.viewer.at(narrow.url))).status).toBe(503);
      expect((await listen(other.viewer.at(narrow.url))).status).toBe(200);
      await narrow.stop();
    });

    it('for kinds that there are none of, and fields that are not known', async () => {
      for (const query of [
        'kinds=rumour',
        'kinds=',
        'device_id=',
        'from=2026-01-01',
        'kinds=state&kinds=event',
      ])
        expect([query, (await refusalOf(project.admin, query)).status]).toEqual([query, 400]);
    });

    it('for a device that is not there, or is another’s', async () => {
      const other = await aProject(system);
      const of = (device_id: string): string => new URLSearchParams({ device_id }).toString();
      expect((await refusalOf(project.admin, of(aDeviceId()))).status).toBe(404);
      expect((await refusalOf(project.admin, of(other.device_id))).status).toBe(404);
      expect((await refusalOf(project.device, of(aDeviceId()))).status).toBe(404);
      expect((await listen(project.device, of(project.device_id))).status).toBe(200);
    });
  });

  describe('of many', () => {
    it('is read off the feeds once, and by nobody when nobody listens', async () => {
      const expectConsumers = (count: number): Promise<void> =>
        eventually(async () => expect(await followers()).toBe(count));
      await expectConsumers(0);
      await Promise.all([project.admin, project.editor, project.viewer].map((client) => listen(client)));
      await expectConsumers(1);
      await Promise.all(open.splice(0).map((stream) => stream.close()));
      await expectConsumers(0);
    });

    it('shows in the metrics as long as it is open, and not among the times of answers', async () => {
      const metric = async (pattern: RegExp): Promise<string[] | null> =>
        pattern.exec(await (await fetch(`http://127.0.0.1:${system.gateway.health_port}/metrics`)).text());
      const openNow = async (): Promise<string | undefined> =>
        (await metric(/^flotilla_streams_open (\d+)$/m))?.[1];
      const stream = await listen(project.admin);
      await eventually(async () => expect(await openNow()).toBe('1'));
      await stream.close();
      await eventually(async () => expect(await openNow()).toBe('0'));
      expect(await metric(/route="\/v1\/stream",status="200"/)).toBeNull();
    });

    it('answers HEAD without opening one', async () => {
      const { status, headers } = await project.admin.send('HEAD', '/v1/stream');
      expect([status, headers.get('content-type')]).toEqual([200, 'text/event-stream']);
    });

    it('refuses HEAD what it refuses GET', async () => {
      const other = await aProject(system);
      const cases: [client: HttpClient, query: string, last_id: string][] = [
        [project.admin, 'device_id=nobody', ''],
        [project.admin, new URLSearchParams({ device_id: other.device_id }).toString(), ''],
        [project.device, 'device_id=another', ''],
        [project.admin, 'kinds=rumour', ''],
        [project.admin, '', 'made up'],
      ];
      for (const [client, query, last_id] of cases) {
        const { status } = await client.send('HEAD', `/v1/stream?${query}`, undefined, {
          'last-event-id': last_id,
        });
        expect([query, status]).toEqual([query, (await refusalOf(client, query, last_id)).status]);
        expect([400, 404]).toContain(status);
      }
    });

    it('gives each of 1,000 readers each entry once', async () => {
      const streams: EventStream[] = [];
      for (let keys = 0; keys < 100; keys += 1) {
        const { body } = await project.admin.post('/v1/members', { email: anEmail(), role: 'viewer' });
        const client = project.viewer.as(body.key as string);
        streams.push(...(await Promise.all(Array.from({ length: 10 }, () => listen(client)))));
      }
      expect(streams).toHaveLength(1_000);
      const written = await Promise.all(Array.from({ length: 50 }, () => post()));
      const last = await post();
      const wanted = [...written, last].sort();
      // Who was let in is told, too, before or after a stream was open.
      const posted = ({ ids }: EventStream): string[] => ids.filter((id) => wanted.includes(id));
      await eventually(
        () => expect(streams.filter((stream) => posted(stream).length < wanted.length).length).toBe(0),
        90_000,
      );
      for (const stream of streams) expect(posted(stream).sort()).toEqual(wanted);
    }, 120_000);
  });
});
