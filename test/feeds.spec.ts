import { jetstreamManager } from '@nats-io/jetstream';
import { Bus, BusConnection } from '#bus';
import {
  FEED_START,
  type AnyEntry,
  type Call,
  ENTRY_KINDS,
  type EntryKind,
  type FeedPage,
  type FeedPosition,
  type FeedQuestion,
  readEventFeed,
  readFirmwareFeed,
  readMessageFeed,
  readPriceFeed,
  readStateFeed,
} from '#contracts';
import { decodeBatch, streamName } from '#feeds';
import { context, eventually } from '#testing';
import { aFirmwareEvent, anEvent } from './builders.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

const READ = {
  event: readEventFeed,
  firmware: readFirmwareFeed,
  message: readMessageFeed,
  price: readPriceFeed,
  state: readStateFeed,
};

describe('the feeds', () => {
  let system: System;
  let connection: BusConnection;
  let bus: Bus;
  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    connection = await BusConnection.open({ name: 'gateway', url: system.nats.url });
    bus = new Bus(connection);
  });
  afterAll(async () => {
    await bus.drain();
    await connection.close();
    await system.stop();
  });

  type Reader = Partial<Call<unknown>['caller']>;
  const read = async (
    kind: EntryKind,
    reader: Reader,
    question: Partial<FeedQuestion>,
  ): Promise<FeedPage> => {
    const request: FeedQuestion = { after: FEED_START, limit: 100, ...question };
    return (await bus.call(READ[kind], request, context(reader))).body;
  };
  /** All of a kind that a reader may see, so many entries at a time. */
  const readAll = async (
    kind: EntryKind,
    reader: Reader,
    question: Partial<FeedQuestion> = {},
  ): Promise<AnyEntry[]> => {
    const entries: AnyEntry[] = [];
    let after: FeedPosition | null = FEED_START;
    for (;;) {
      const page: FeedPage = await read(kind, reader, { ...question, after });
      entries.push(...page.entries.map(({ entry }) => entry));
      if (page.entries.length === 0) return entries;
      after = page.position;
    }
  };
  /** What JetStream holds of a project. */
  const published = async (kind: EntryKind, project_id: string): Promise<AnyEntry[]> => {
    const { streams } = await jetstreamManager(connection.nats, { checkAPI: false });
    const { state } = await streams.info(streamName(kind));
    const entries: AnyEntry[] = [];
    for (let seq = 1; seq <= state.last_seq; seq += 1) {
      const message = await streams.getMessage(streamName(kind), { seq });
      const batch = decodeBatch({
        ...message!,
        headers: message!.header,
        subject: message!.subject,
        data: message!.data,
      });
      for (const { head, body } of batch!.entries)
        if (head.project_id === project_id)
          entries.push(JSON.parse(Buffer.from(body).toString()) as AnyEntry);
    }
    return entries;
  };
  const adminOf = ({ id }: Project): Reader => ({ project_id: id, role: 'admin' });
  const deviceOf = ({ id, device_id }: Project): Reader => ({
    ...{ project_id: id, role: 'device' as const, principal: device_id, address: device_id },
  });

  /** One of each kind, about the project's device where there is one. */
  const oneOfEach = async ({ admin, editor, device, device_id }: Project): Promise<void> => {
    const answers = [
      await admin.patch(`/v1/devices/${device_id}/state`, { data: { on: true } }),
      await device.post(`/v1/devices/${device_id}/firmware`, aFirmwareEvent()),
      await editor.post('/v1/events', anEvent({ device_id })),
      await editor.post('/v1/messages', { recipient: device_id, message: 'hello', device_id }),
      await editor.post('/v1/prices', { product_id: 'p', price: '19.90' }),
      await admin.patch(
        `/v1/devices/${(await admin.post('/v1/devices', { id: `other ${device_id}` })).body.id as string}/state`,
        {
          data: { on: false },
        },
      ),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 201, 201, 201, 202, 200]);
  };

  it('have each kind, as the timeline shows it, in JetStream and for who has missed it', async () => {
    const project = await aProject(system);
    await oneOfEach(project);
    const { entries } = (await project.admin.get('/v1/timeline')).body as { entries: AnyEntry[] };
    for (const kind of ENTRY_KINDS) {
      const missed = await eventually(async () => {
        const found = await readAll(kind, adminOf(project));
        expect(found).toHaveLength(kind === 'state' ? 2 : 1);
        return found;
      });
      await eventually(async () => expect(await published(kind, project.id)).toEqual(missed));
      expect(missed.map((entry) => entry.kind)).toContain(kind);
      expect(entries).toEqual(expect.arrayContaining(missed));
    }
  });

  it('show nobody what is not theirs', async () => {
    const [project, foreign] = [await aProject(system), await aProject(system)];
    await oneOfEach(project);
    await eventually(async () => expect(await readAll('price', adminOf(project))).toHaveLength(1));
    const seen = async (reader: Reader): Promise<number[]> => {
      const counts: number[] = [];
      for (const kind of ENTRY_KINDS) counts.push((await readAll(kind, reader)).length);
      return counts;
    };
    // In the order of ENTRY_KINDS: event, firmware, message, price, state.
    await eventually(async () => {
      expect(await seen(adminOf(project))).toEqual([1, 1, 1, 1, 2]);
      expect(await seen(deviceOf(project))).toEqual([1, 1, 1, 1, 1]);
      expect(await seen({ project_id: project.id, role: 'viewer', principal: project.viewer_id })).toEqual([
        ...[1, 1, 0, 1, 2],
      ]);
      expect(await seen({ project_id: project.id, role: 'editor', principal: project.editor_id })).toEqual([
        ...[1, 1, 1, 1, 2],
      ]);
    });
    expect(await seen(adminOf(foreign))).toEqual([0, 0, 0, 0, 0]);
  });

  it('have of one device what concerns it', async () => {
    const project = await aProject(system);
    await oneOfEach(project);
    await eventually(async () => expect(await readAll('state', adminOf(project))).toHaveLength(2));
    const { device_id } = project;
    const counts = await Promise.all(
      ENTRY_KINDS.map(async (kind) => (await readAll(kind, adminOf(project), { device_id })).length),
    );
    expect(counts).toEqual([1, 1, 1, 0, 1]);
  });

  it('have the versions of each device in their order, however hot it is', async () => {
    const project = await aProject(system);
    const devices = Array.from({ length: 5 }, (_, index) => `hot ${index}`);
    for (const id of devices) await project.admin.post('/v1/devices', { id });
    await system.deviceState.start();
    // As many at once as a frame takes: of more, a busy machine may refuse some.
    const reports = Array.from({ length: 250 }, (_, count) =>
      project.admin.patch(`/v1/devices/${devices[count % 5]!}/state`, { data: { count } }),
    );
    const answers = await Promise.all(reports);
    expect(answers.filter(({ status }) => status !== 200).map(({ body }) => body as unknown)).toEqual([]);
    const entries = await eventually(async () => {
      const found = await published('state', project.id);
      expect(found).toHaveLength(250);
      return found;
    });
    for (const device of devices) {
      const versions = entries.flatMap((entry) =>
        entry.kind === 'state' && entry.device_id === device ? [entry.version] : [],
      );
      expect(versions).toEqual(Array.from({ length: 50 }, (_, index) => index + 1));
    }
    expect(await readAll('state', adminOf(project), { limit: 7 })).toEqual(entries);
  });

  it('can be read from a position on, and say where they end', async () => {
    const project = await aProject(system);
    const { position: start } = await read('price', adminOf(project), { after: null });
    for (const price of ['1', '2', '3', '4'])
      expect((await project.admin.post('/v1/prices', { product_id: 'p', price })).status).toBe(202);
    const pages = await eventually(async () => {
      const page = await read('price', adminOf(project), { after: start });
      expect(page.entries).toHaveLength(4);
      return page;
    });
    const [first] = pages.entries.map(({ position }) => position);
    const behind = await read('price', adminOf(project), { after: first! });
    expect(behind.entries).toEqual(pages.entries.slice(1));
    const end = await read('price', adminOf(project), { after: null });
    expect(end.entries).toEqual([]);
    expect((await read('price', adminOf(project), { after: end.position })).entries).toEqual([]);
  });
});
