import { eventually, queryDatabase } from '#testing';
import { aDeviceId, aFirmwareEvent } from './builders.js';
import { type Answer, type HttpClient } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

const AT = '2026-01-31T12:00:00.000Z';
const dayAt = (days: number): string => new Date(Date.parse(AT) + days * 86_400_000).toISOString();

interface Device {
  id: string;
  client: HttpClient;
  path: string;
}

describe('firmware', () => {
  let system: System;
  let project: Project;
  let stranger: Project;
  beforeAll(async () => {
    system = await startSystem();
    [project, stranger] = await Promise.all([aProject(system), aProject(system)]);
  });
  afterAll(() => system.stop());

  const pathOf = (id: string): string => `/v1/devices/${encodeURIComponent(id)}/firmware`;
  const aDevice = async ({ editor } = project, id = aDeviceId()): Promise<Device> => {
    const { body } = await editor.post('/v1/devices', { id });
    return { id, client: editor.as(body.key as string), path: pathOf(id) };
  };
  const report = ({ client, path }: Device, rest: Record<string, unknown> = {}): Promise<Answer> =>
    client.post(path, aFirmwareEvent(rest));
  const withoutRequestId = ({ body }: Answer): object => ({ ...body, request_id: undefined });
  const idsIn = ({ body }: Answer): string[] => body.firmware_events.map(({ id }: { id: string }) => id);

  describe('that a device reports', () => {
    it('is kept, and found again as it was answered', async () => {
      const device = await aDevice();
      const { status, body } = await report(device, { timestamp: '2026-01-31T13:00:00+01:00' });
      expect(status).toBe(201);
      const { result, ...event } = body;
      expect(result).toBe('applied');
      expect(event).toEqual({
        ...{ device_id: device.id, firmware: '1.0.0', status: 'installed', timestamp: AT },
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      expect((await project.viewer.get(device.path)).body).toEqual({
        firmware_events: [event],
        current_firmware: '1.0.0',
        next_cursor: null,
      });
    });

    it('again is a success that says so, and the first', async () => {
      const device = await aDevice();
      for (const rest of [{}, { timestamp: AT }, { status: 'downloading', timestamp: AT }]) {
        const first = await report(device, rest);
        const again = await report(device, rest);
        expect([first.status, again.status]).toEqual([201, 200]);
        expect(again.body).toEqual({ ...first.body, result: 'duplicate' });
        expect(again.headers.get('idempotency-replayed')).toBeNull();
        await report(device, { status: 'failed' });
      }
    });

    it('again with an idempotency key answers with the first status, too', async () => {
      const device = await aDevice();
      const send = () => device.client.post(device.path, aFirmwareEvent(), { 'idempotency-key': 'k' });
      const first = await send();
      await report(device, { firmware: '1.1.0' });
      const again = await send();
      expect([again.status, again.body]).toEqual([201, first.body]);
      expect(again.headers.get('idempotency-replayed')).toBe('true');
      const repeat = () =>
        device.client.post(device.path, aFirmwareEvent({ firmware: '1.1.0' }), { 'idempotency-key': 'l' });
      expect([(await repeat()).status, (await repeat()).status]).toEqual([200, 200]);
    });

    it('is one event, however many copies arrive at once over gateways and replicas', async () => {
      const another = await system.anotherGateway();
      const replica = await system.firmware.start();
      try {
        const device = await aDevice();
        const ways = [device.client, device.client.at(another.url)];
        const answers = await Promise.all(
          Array.from({ length: 100 }, (_, index) =>
            ways[index % 2]!.post(device.path, aFirmwareEvent({ timestamp: AT })),
          ),
        );
        expect(answers.map(({ status }) => status).sort()).toEqual([...Array(99).fill(200), 201]);
        expect(new Set(answers.map(({ body }) => body.id as string)).size).toBe(1);
        expect(idsIn(await project.viewer.get(device.path))).toHaveLength(1);
      } finally {
        await Promise.all([another.stop(), replica.stop()]);
      }
    });

    it('keeps its version as it was written, and its device whatever it is called', async () => {
      for (const id of ['pump 7/north', 'ünïcode 漢字 😀', '*.>', `..%2f;a=b`]) {
        const device = await aDevice(project, id);
        const firmware = '1.4.0-rc.1+Build.005';
        expect((await report(device, { firmware })).body).toMatchObject({ device_id: id, firmware });
        expect((await device.client.get(device.path)).body).toMatchObject({ current_firmware: firmware });
      }
    });
  });

  describe('that cannot be', () => {
    const inAnHour = (minutes: number): string =>
      new Date(Date.now() + (60 + minutes) * 60_000).toISOString();
    it.each([
      ['a version that is not SemVer', () => ({ firmware: '1.0' }), ['/firmware']],
      ['a version with a v', () => ({ firmware: 'v1.0.0' }), ['/firmware']],
      ['a version with a leading zero', () => ({ firmware: '01.0.0' }), ['/firmware']],
      ['no version', () => ({ firmware: undefined }), ['/firmware']],
      ['no status', () => ({ status: undefined }), ['/status']],
      ['a status of two words', () => ({ status: 'half done' }), ['/status']],
      ['a time without a zone', () => ({ timestamp: '2026-01-31T12:00:00' }), ['/timestamp']],
      ['a time a day ahead', () => ({ timestamp: inAnHour(23 * 60) }), ['/timestamp']],
      [
        'null',
        () => ({ firmware: null, status: null, timestamp: null }),
        ['/firmware', '/status', '/timestamp'],
      ],
      [
        'fields of its own',
        () => ({ id: 'x', device_id: 'x', result: 'x' }),
        ['/id', '/device_id', '/result'],
      ],
      ['several faults', () => ({ firmware: '1', status: '', more: 1 }), ['/firmware', '/status', '/more']],
    ])('is refused with the places named, and leaves nothing: %s', async (_, rest, pointers) => {
      const device = await aDevice();
      const { status, body } = await report(device, rest());
      expect([status, body.code]).toEqual([400, 'invalid']);
      expect(body.errors.map(({ pointer }: { pointer: string }) => pointer)).toEqual(pointers);
      expect((await device.client.get(device.path)).body.firmware_events).toEqual([]);
    });

    it('is not refused for a clock that is a little ahead', async () => {
      expect((await report(await aDevice(), { timestamp: inAnHour(-1) })).status).toBe(201);
    });
  });

  describe('belongs to', () => {
    it('the device alone to report: not to a member, not to another device, not to nobody', async () => {
      const [device, other] = [await aDevice(), await aDevice()];
      for (const { admin, editor, viewer } of [project, stranger]) {
        for (const client of [admin, editor, viewer, system.operator, other.client, stranger.device]) {
          const { status, body } = await client.post(device.path, aFirmwareEvent());
          expect([status, body.code]).toEqual([403, 'forbidden']);
        }
      }
      for (const key of [undefined, 'flt_device_nonsense'])
        expect((await device.client.as(key).post(device.path, aFirmwareEvent())).status).toBe(401);
      expect((await device.client.get(device.path)).body.firmware_events).toEqual([]);
    });

    it('another device’s path tells nothing about whether that device is there', async () => {
      const device = await aDevice();
      const answers = await Promise.all(
        [project.device_id, stranger.device_id, aDeviceId()].map((id) =>
          device.client.post(pathOf(id), aFirmwareEvent()),
        ),
      );
      const bodies = answers.map(withoutRequestId);
      expect(bodies).toEqual(Array(3).fill(bodies[0]));
      expect(bodies[0]).toMatchObject({ status: 403 });
    });

    it('each member and each device of its project to read, but not to the operator', async () => {
      const device = await aDevice();
      const { body } = await report(device);
      for (const client of [project.admin, project.editor, project.viewer, project.device, device.client])
        expect(idsIn(await client.get(device.path))).toEqual([body.id]);
      expect((await system.operator.get(device.path)).status).toBe(403);
    });

    it('no other project: its device answers as one that does not exist', async () => {
      const device = await aDevice();
      await report(device);
      for (const client of [stranger.admin, stranger.viewer, stranger.device]) {
        const answers = [await client.get(device.path), await client.get(pathOf(aDeviceId()))];
        const [foreign, unknown] = answers.map(withoutRequestId);
        expect(foreign).toEqual(unknown);
        expect(foreign).toMatchObject({ status: 404, code: 'not_found' });
        expect((await client.get(device.path, { accept: 'text/csv' })).status).toBe(404);
      }
    });

    it('a device of the same name in each project by itself', async () => {
      const [here, there] = [await aDevice(project, 'twin'), await aDevice(stranger, 'twin')];
      await report(here, { timestamp: AT });
      expect((await report(there, { timestamp: AT, firmware: '9.0.0' })).status).toBe(201);
      expect((await project.viewer.get(here.path)).body.current_firmware).toBe('1.0.0');
      expect((await stranger.viewer.get(there.path)).body.current_firmware).toBe('9.0.0');
    });
  });

  describe('of a device that has reported nothing', () => {
    it('is an empty list', async () => {
      const { path } = await aDevice();
      const empty = { firmware_events: [], current_firmware: null, next_cursor: null };
      expect((await project.viewer.get(path)).body).toEqual(empty);
      expect((await project.viewer.get(path, { accept: 'application/x-ndjson' })).body).toBe('');
    });
  });

  describe('of a device that moved', () => {
    it('stays with the old project, and is reported to the new one', async () => {
      const [from, to] = await Promise.all([aProject(system), aProject(system)]);
      const device = await aDevice(from);
      const { body: old } = await report(device, { timestamp: AT });
      const moved = await system.operator.post(`/v1/devices/${encodeURIComponent(device.id)}/move`, {
        project_id: to.id,
      });
      expect(moved.status).toBe(200);
      expect((await device.client.get(device.path)).body.firmware_events).toEqual([]);
      const { status, body } = await report(device, { timestamp: AT });
      expect([status, body.result]).toEqual([201, 'applied']);
      expect(idsIn(await from.viewer.get(device.path))).toEqual([old.id]);
      expect(idsIn(await to.viewer.get(device.path))).toEqual([body.id]);
      expect(idsIn(await device.client.get(device.path))).toEqual([body.id]);
      expect((await to.viewer.get('/v1/firmware/adoption')).body.total).toBe(1);
    });

    it('stays readable when the device is removed, and its key reports no more', async () => {
      const device = await aDevice();
      const { body } = await report(device);
      await project.admin.delete(`/v1/devices/${encodeURIComponent(device.id)}`);
      expect(idsIn(await project.viewer.get(device.path))).toEqual([body.id]);
      expect((await report(device)).status).toBe(401);
    });
  });

  describe('that is current', () => {
    it('is of the newest event that installed or updated, whatever arrived last', async () => {
      const device = await aDevice();
      const told: [string, string, number][] = [
        ['1.1.0', 'updated', 2],
        ['1.0.0', 'installed', 1],
        ['1.2.0', 'downloading', 3],
        ['1.3.0', 'failed', 4],
      ];
      for (const [firmware, status, day] of told)
        await report(device, { firmware, status, timestamp: dayAt(day) });
      expect((await device.client.get(device.path)).body.current_firmware).toBe('1.1.0');
      expect((await device.client.get(`${device.path}?status=failed`)).body.current_firmware).toBe('1.1.0');
    });

    it('stands on the device, and in its version', async () => {
      const device = await aDevice();
      const path = `/v1/devices/${encodeURIComponent(device.id)}`;
      const before = await project.viewer.get(path);
      expect(before.body.firmware).toBeNull();
      await report(device, { firmware: '1.0.0-rc.1+b.1' });
      const etag = before.headers.get('etag')!;
      const after = await project.viewer.get(path, { 'if-none-match': etag });
      expect([after.status, after.body.firmware]).toEqual([200, '1.0.0-rc.1+b.1']);
      const tag = after.headers.get('etag')!;
      expect((await project.viewer.get(path, { 'if-none-match': tag })).status).toBe(304);

      const renamed = await project.editor.patch(path, { name: 'north' }, { 'if-match': tag });
      expect([renamed.status, renamed.body.name]).toEqual([200, 'north']);
      expect((await project.editor.patch(path, { name: 'x' }, { 'if-match': tag })).status).toBe(412);
      expect((await project.editor.delete(path, { 'if-match': tag })).status).toBe(412);
    });
  });

  describe('in a list', () => {
    let device: Device;
    let events: { id: string; status: string; timestamp: string }[];
    beforeAll(async () => {
      device = await aDevice();
      const statuses = ['downloading', 'installed', 'failed'];
      for (let day = 0; day < 25; day += 1)
        await report(device, { status: statuses[day % 3], timestamp: dayAt(day), firmware: `1.0.${day}` });
      events = (await device.client.get(device.path)).body.firmware_events;
    });
    const found = async (query: string): Promise<string[]> =>
      idsIn(await project.viewer.get(`${device.path}?${query}`));
    const idsOf = (some: { id: string }[]): string[] => some.map(({ id }) => id);

    it('comes newest first, or oldest first', async () => {
      expect(events.map(({ timestamp }) => timestamp)).toEqual(
        Array.from({ length: 25 }, (_, at) => dayAt(24 - at)),
      );
      expect(await found('order=asc')).toEqual(idsOf([...events].reverse()));
    });

    it('is narrowed by status and by time, from with and to without the moment', async () => {
      expect(await found('status=installed')).toEqual(
        idsOf(events.filter(({ status }) => status === 'installed')),
      );
      const between = events.filter(({ timestamp }) => timestamp >= dayAt(5) && timestamp < dayAt(9));
      expect(await found(`from=${dayAt(5)}&to=${dayAt(9)}`)).toEqual(idsOf(between));
      expect(await found('from=2026-02-10&to=02-12-2026')).toHaveLength(2);
      expect(await found('status=nothing')).toEqual([]);
    });

    it('comes by pages, each event once, with a link to the next', async () => {
      const walked: string[] = [];
      let path: string | undefined = `${device.path}?limit=4`;
      while (path !== undefined) {
        const page: Answer = await project.viewer.get(path);
        walked.push(...idsIn(page));
        path = /^<([^>]+)>; rel="next"$/.exec(page.headers.get('link') ?? '')?.[1];
        expect(path === undefined).toBe(page.body.next_cursor === null);
      }
      expect(walked).toEqual(idsOf(events));
    });

    it('comes whole as NDJSON and as CSV', async () => {
      const ndjson = await project.viewer.get(`${device.path}?limit=2`, { accept: 'application/x-ndjson' });
      const lines = (ndjson.body as string).trimEnd().split('\n');
      expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events);
      const csv = await project.viewer.get(device.path, { accept: 'text/csv' });
      const [head, ...rows] = (csv.body as string).trimEnd().split('\r\n');
      expect(head).toBe('id,device_id,firmware,status,timestamp,created_at');
      expect(rows.map((row) => row.split(',')[0])).toEqual(idsOf(events));
    });

    it.each([
      'limit=0',
      'limit=1001',
      'from=yesterday',
      'to=2026-02-30',
      'status=A',
      'order=up',
      'cursor=x',
      'more=1',
    ])('refuses %s, and names it', async (query) => {
      const { status, body } = await project.viewer.get(`${device.path}?${query}`);
      expect(status).toBe(400);
      expect(body.errors[0].pointer).toBe(query.replace(/^(\w+)=.*$/, '/$1'));
    });
  });

  describe('adoption', () => {
    it('counts the devices of each version, now and at a time, in one project', async () => {
      const fleet = await aProject(system);
      const devices = await Promise.all([1, 2, 3].map(() => aDevice(fleet)));
      await Promise.all(devices.map((device) => report(device, { timestamp: dayAt(0) })));
      await report(devices[0]!, { firmware: '1.1.0', status: 'updated', timestamp: dayAt(2) });
      await report(devices[1]!, { firmware: '1.1.0', status: 'failed', timestamp: dayAt(2) });
      const adoption = async (query = ''): Promise<unknown> =>
        (await fleet.viewer.get(`/v1/firmware/adoption${query}`)).body;
      const all = { total: 3, versions: [{ firmware: '1.0.0', devices: 3 }] };
      const split = {
        total: 3,
        versions: [
          { firmware: '1.0.0', devices: 2 },
          { firmware: '1.1.0', devices: 1 },
        ],
      };
      expect(await adoption()).toEqual(split);
      expect(await adoption(`?at=${dayAt(2)}`)).toEqual(split);
      expect(await adoption(`?at=${dayAt(1)}`)).toEqual(all);
      expect(await adoption('?at=2026-01-31')).toEqual({ total: 0, versions: [] });

      await report(devices[2]!, { firmware: '0.9.0', timestamp: dayAt(-3) });
      expect(await adoption(`?at=${dayAt(-1)}`)).toEqual({
        total: 1,
        versions: [{ firmware: '0.9.0', devices: 1 }],
      });
      expect(await adoption()).toEqual(split);
      expect((await stranger.viewer.get('/v1/firmware/adoption')).body).not.toEqual(split);
    });

    it('is for members only, and of a real time only', async () => {
      for (const client of [project.device, system.operator])
        expect((await client.get('/v1/firmware/adoption')).status).toBe(403);
      const { status, body } = await project.viewer.get('/v1/firmware/adoption?at=now');
      expect([status, body.errors[0].pointer]).toEqual([400, '/at']);
    });
  });

  it('keeps what it acknowledged, each once, when many devices report at once', async () => {
    const devices = await Promise.all(Array.from({ length: 30 }, () => aDevice()));
    const answers = await Promise.all(
      devices.flatMap((device) =>
        Array.from({ length: 10 }, (_, index) =>
          report(device, { firmware: `2.0.${index}`, timestamp: dayAt(index) }),
        ),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array(300).fill(201));
    const [row] = await queryDatabase<{ count: number }>(
      system.database_url,
      `SELECT count(*)::int AS count FROM firmware.firmware_events WHERE device_id = ANY($1)`,
      [devices.map(({ id }) => id)],
    );
    expect(row!.count).toBe(300);
    for (const device of devices)
      expect((await device.client.get(device.path)).body.current_firmware).toBe('2.0.9');
  });

  describe('while its service is away', () => {
    it('is unavailable, and the device is still there to look at', async () => {
      const [device, other] = [await aDevice(), await aDevice()];
      await report(device);
      await system.firmware.stop();
      for (const answer of [await report(device), await device.client.get(device.path)]) {
        expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
        expect(answer.headers.get('retry-after')).toBe('1');
      }
      const view = ({ id }: Device, known = 'none'): Promise<Answer> =>
        project.viewer.get(`/v1/devices/${encodeURIComponent(id)}`, { 'if-none-match': known });
      const [seen, untold] = [await view(device), await view(other)];
      expect(seen.status).toBe(200);
      expect(seen.body).not.toHaveProperty('firmware');
      await system.firmware.start();
      await eventually(async () => {
        expect((await view(device)).body.firmware).toBe('1.0.0');
      });
      // That it runs nothing is another answer than that nobody could tell.
      const told = await view(other, untold.headers.get('etag')!);
      expect([told.status, told.body.firmware]).toEqual([200, null]);
    });
  });
});
