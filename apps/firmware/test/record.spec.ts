import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type Failure, type NewFirmwareEvent } from '#contracts';
import { queryDatabase } from '#testing';
import { isInstall } from '../src/install-history.js';
import { DeviceCalls } from './device-calls.js';
import { startFirmware, type Firmware } from './start-firmware.js';

const AT = '2026-01-31T12:00:00.000Z';
const DAY_MS = 86_400_000;

describe('recording firmware events', () => {
  let service: Firmware;
  let device: DeviceCalls;
  beforeAll(async () => {
    service = await startFirmware({ replicas: 2 });
  });
  beforeEach(() => {
    device = new DeviceCalls(service);
  });
  afterAll(() => service.stop());

  it('answers the event with its id, and keeps exactly that', async () => {
    const { body, marks } = await device.record({ timestamp: '2026-01-31T13:00:00.0009+01:00' });
    const { result, ...event } = body;
    expect(result).toBe('applied');
    expect(marks).toEqual({});
    expect(event).toEqual({
      id: expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/),
      device_id: device.device_id,
      firmware: '1.0.0',
      status: 'installed',
      timestamp: AT,
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(await device.events()).toEqual([event]);
  });

  it('takes the time of recording for the time of an event that has none', async () => {
    const { body } = await device.record();
    expect(body.timestamp).toBe(body.created_at);
  });

  it('takes the time from the database, one clock for all replicas, whatever their own say', async () => {
    const Clock = Date;
    globalThis.Date = class extends Clock {
      constructor(time = Clock.now() + DAY_MS) {
        super(time);
      }
      static override now = (): number => Clock.now() + DAY_MS;
    } as DateConstructor;
    try {
      const { body } = await device.record();
      expect(Clock.parse(body.created_at)).toBeLessThan(Clock.now() + DAY_MS / 2);
    } finally {
      globalThis.Date = Clock;
    }
    await device.record({ firmware: '1.1.0', timestamp: new Date(Date.now() + 1_000).toISOString() });
    expect(await device.current()).toBe('1.1.0');
  });

  it.each(['0001-01-01T00:00:00.000Z', '1969-07-20T20:17:40.000Z', '2031-06-01T00:00:00.000Z'])(
    'keeps an event of %s, and knows it again',
    async (timestamp) => {
      const first = await device.record({ timestamp });
      expect((await device.record({ timestamp })).body).toEqual({ ...first.body, result: 'duplicate' });
      expect((await device.events()).map((event) => event.timestamp)).toEqual([timestamp]);
      expect(await device.adoption(timestamp)).toMatchObject({ total: 1 });
    },
  );

  describe('that come again', () => {
    it('answers with the first, in whatever way the time is written', async () => {
      const { body: first } = await device.record({ timestamp: AT });
      await device.record({ timestamp: '2026-01-31T13:00:00Z', firmware: '1.1.0' });
      const again = await device.record({ timestamp: '2026-01-31T14:00:00.000+02:00' });
      expect(again.body).toEqual({ ...first, result: 'duplicate' });
      expect(again.marks).toEqual({ repeated: true });
      expect(await device.events()).toHaveLength(2);
    });

    it('takes another version, status, time or device for another event', async () => {
      const other = new DeviceCalls(service, device.project_id);
      await device.record({ timestamp: AT });
      const results = await Promise.all([
        device.record({ timestamp: AT, firmware: '1.0.0+other' }),
        device.record({ timestamp: AT, status: 'updated' }),
        device.record({ timestamp: '2026-01-31T12:00:00.001Z' }),
        other.record({ timestamp: AT }),
        new DeviceCalls(service, randomUUID(), device.device_id).record({ timestamp: AT }),
      ]);
      expect(results.map(({ body }) => body.result)).toEqual(Array(5).fill('applied'));
    });

    it('without a time are repeats of the newest event only', async () => {
      const { body: first } = await device.record();
      expect((await device.record()).body).toEqual({ ...first, result: 'duplicate' });
      await device.record({ firmware: '1.1.0' });
      expect((await device.record()).body.result).toBe('applied');
      expect(await device.current()).toBe('1.0.0');
    });

    it('makes one event of many that arrive at once over replicas', async () => {
      const ways = [device, device.over(service.anotherBus)];
      const answers = await Promise.all(
        Array.from({ length: 60 }, (_, index) =>
          ways[index % 2]!.record(index % 3 ? { timestamp: AT } : { timestamp: AT, status: 'failed' }),
        ),
      );
      expect(answers.filter(({ body }) => body.result === 'applied')).toHaveLength(2);
      expect(new Set(answers.map(({ body }) => body.id)).size).toBe(2);
      expect(await device.events()).toHaveLength(2);
    });

    it('makes one event of many without a time that arrive at once over replicas', async () => {
      const ways = [device, device.over(service.anotherBus)];
      const answers = await Promise.all(Array.from({ length: 40 }, (_, index) => ways[index % 2]!.record()));
      expect(answers.filter(({ body }) => body.result === 'applied')).toHaveLength(1);
      expect(await device.events()).toHaveLength(1);
    });

    it('are kept from being two by the database itself', async () => {
      await device.record({ timestamp: AT });
      const copy = queryDatabase(
        service.urls.owner,
        `INSERT INTO firmware.firmware_events (project_id, device_id, timestamp, id, firmware, status, created_at)
         SELECT project_id, device_id, timestamp, $2, firmware, status, created_at
         FROM firmware.firmware_events WHERE project_id = $1`,
        [device.project_id, randomUUID()],
      );
      await expect(copy).rejects.toMatchObject({ code: '23505' });
    });
  });

  describe('with an idempotency key', () => {
    it('answers the repeat with the very first answer, though the newest event is another by now', async () => {
      const first = await device.record({}, 'k');
      await device.record({ firmware: '1.1.0' });
      const again = await device.record({}, 'k');
      expect(again.body).toEqual(first.body);
      expect(again.marks).toEqual({ replayed: true });
      expect(await device.current()).toBe('1.1.0');
    });

    it('answers other content with a conflict, and keeps none of it', async () => {
      await device.record({}, 'k');
      await expect(device.record({ firmware: '1.1.0' }, 'k')).rejects.toMatchObject({
        code: 'idempotency_conflict',
      });
      expect(await device.events()).toHaveLength(1);
    });

    it('remembers that the answer was a repeat', async () => {
      const { body } = await device.record({ timestamp: AT });
      const repeat = await device.record({ timestamp: AT }, 'k');
      const replayed = await device.record({ timestamp: AT }, 'k');
      expect(repeat.body).toEqual({ ...body, result: 'duplicate' });
      expect(replayed.body).toEqual(repeat.body);
      expect(replayed.marks).toEqual({ replayed: true, repeated: true });
    });

    it('answers all alike that arrive at once, and makes one event', async () => {
      const ways = [device, device.over(service.anotherBus)];
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => ways[index % 2]!.record({ timestamp: AT }, 'k')),
      );
      expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      expect(answers.filter(({ marks }) => !marks.replayed)).toHaveLength(1);
      expect(await device.events()).toHaveLength(1);
    });

    it('refuses one among many alone when its key is in conflict', async () => {
      await device.record({}, 'k');
      const calls = Array.from({ length: 20 }, (_, index) =>
        device.record({ firmware: `2.0.${index}` }, index === 7 ? 'k' : `k${index}`).then(
          ({ body }) => body.result,
          (failure: unknown) => (failure as Failure).code,
        ),
      );
      const expected = Array.from({ length: 20 }, (_, index) =>
        index === 7 ? 'idempotency_conflict' : 'applied',
      );
      expect(await Promise.all(calls)).toEqual(expected);
    });
  });

  it('takes reports of many new devices in any order over replicas, and refuses none', async () => {
    const projects = [randomUUID(), randomUUID(), randomUUID()];
    const devices = Array.from({ length: 30 }, (_, index) => new DeviceCalls(service, projects[index % 3]));
    const plan = fc.sample(fc.shuffledSubarray(devices, { minLength: 30 }), 10).flat();
    const answers = await Promise.all(
      plan.map((device, index) => {
        const way = index % 2 ? device : device.over(service.anotherBus);
        return way.record({ firmware: `1.0.${index}` }, `k${index}`);
      }),
    );
    expect(answers.map(({ body }) => body.result)).toEqual(plan.map(() => 'applied'));
    for (const device of devices.slice(0, 3)) expect((await device.adoption()).total).toBe(10);
  });

  const events = fc.array(
    fc.record({
      timestamp: fc
        .integer({ min: -40, max: 40 })
        .map((days) => new Date(Date.parse(AT) + days * 86_400_000).toISOString()),
      firmware: fc.constantFrom('1.0.0', '1.1.0', '2.0.0-rc.1'),
      status: fc.constantFrom('downloading', 'installed', 'updated', 'failed'),
    }),
    { minLength: 1, maxLength: 25 },
  );

  it('knows the current version after any order of arrival, one after another or at once', async () => {
    await fc.assert(
      fc.asyncProperty(events, fc.boolean(), async (arriving, atOnce) => {
        const device = new DeviceCalls(service);
        const ways = [device, device.over(service.anotherBus)];
        const record = (event: NewFirmwareEvent, index: number) => ways[index % 2]!.record(event);
        if (atOnce) await Promise.all(arriving.map(record));
        else for (const [index, event] of arriving.entries()) await record(event, index);

        const kept = await device.events();
        const names = arriving.map(({ timestamp, firmware, status }) => [timestamp, firmware, status].join());
        expect(
          kept.map(({ timestamp, firmware, status }) => [timestamp, firmware, status].join()).sort(),
        ).toEqual([...new Set(names)].sort());
        const newest = kept.find(({ status }) => isInstall(status));
        expect((await device.query()).current_firmware).toBe(newest?.firmware ?? null);
        expect(await device.current()).toBe(newest?.firmware ?? null);
      }),
      { numRuns: 60 },
    );
  });
});
