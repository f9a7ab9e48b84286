import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { parseMoment, type FirmwareEvent, type FirmwareQuery } from '#contracts';
import { DeviceCalls } from './device-calls.js';
import { startFirmware, type Firmware } from './start-firmware.js';

const DAY_MS = 86_400_000;
const dayAt = (days: number): string => new Date(Date.UTC(2026, 0, 31) + days * DAY_MS).toISOString();

describe('a device’s firmware events', () => {
  let service: Firmware;
  let device: DeviceCalls;
  let recorded: FirmwareEvent[];
  beforeAll(async () => {
    service = await startFirmware();
    device = new DeviceCalls(service);
    const statuses = ['downloading', 'installed', 'failed'];
    // Three to a moment, over months that are past, present and to come.
    const receipts = await Promise.all(
      Array.from({ length: 90 }, (_, index) =>
        device.record({ timestamp: dayAt(Math.floor(index / 3) * 13), status: statuses[index % 3] }),
      ),
    );
    recorded = receipts
      .map(({ body: { id, device_id, firmware, status, timestamp, created_at } }) => ({
        ...{ id, device_id, firmware, status, timestamp, created_at },
      }))
      .sort((one, other) => (one.timestamp + one.id < other.timestamp + other.id ? 1 : -1));
  });
  afterAll(() => service.stop());

  it('are listed newest first, or oldest first', async () => {
    expect(await device.events()).toEqual(recorded);
    expect(await device.events({ order: 'asc' })).toEqual([...recorded].reverse());
  });

  it('are at most a hundred unless told', async () => {
    const many = new DeviceCalls(service);
    await Promise.all(Array.from({ length: 120 }, (_, index) => many.record({ firmware: `1.0.${index}` })));
    expect(await many.events({ limit: undefined })).toHaveLength(100);
  });

  it('are those that all conditions hold for, on pages of any size', async () => {
    const moments = fc
      .integer({ min: -10, max: 400 })
      .chain((days) => fc.constantFrom(dayAt(days), dayAt(days).slice(0, 10)));
    const queries = fc.record(
      {
        status: fc.constantFrom('downloading', 'installed', 'nothing'),
        from: moments,
        to: moments,
        order: fc.constantFrom('asc', 'desc'),
        limit: fc.integer({ min: 1, max: 40 }),
      },
      { requiredKeys: ['limit'], noNullPrototype: true },
    );
    await fc.assert(
      fc.asyncProperty(queries, async (query: FirmwareQuery) => {
        const { status, from, to, order } = query;
        const expected = recorded.filter(
          (event) =>
            (status === undefined || event.status === status) &&
            (from === undefined || new Date(event.timestamp) >= parseMoment(from)!) &&
            (to === undefined || new Date(event.timestamp) < parseMoment(to)!),
        );
        const walked: FirmwareEvent[] = [];
        for (let cursor: string | null | undefined; cursor !== null;) {
          const page = await device.query({ ...query, ...(cursor && { cursor }) });
          walked.push(...page.firmware_events);
          cursor = page.next_cursor;
        }
        expect(walked).toEqual(order === 'asc' ? expected.reverse() : expected);
      }),
      { numRuns: 60 },
    );
  });

  it('are walked each exactly once while others come', async () => {
    const walking = new DeviceCalls(service);
    const record = (index: number) => walking.record({ timestamp: dayAt(index) });
    const stable = await Promise.all(Array.from({ length: 30 }, (_, index) => record(index * 2)));
    const walked: string[] = [];
    let more = 1;
    for (let cursor: string | null | undefined; cursor !== null; more += 6) {
      const page = await walking.query({ limit: 4, ...(cursor && { cursor }) });
      walked.push(...page.firmware_events.map(({ id }) => id));
      cursor = page.next_cursor;
      await record(more);
    }
    for (const { body } of stable) expect(walked.filter((id) => id === body.id)).toHaveLength(1);
    expect(new Set(walked).size).toBe(walked.length);
  });

  it('are not there for another project, nor for a device that said nothing', async () => {
    const elsewhere = new DeviceCalls(service, randomUUID(), device.device_id);
    const silent = new DeviceCalls(service, device.project_id);
    for (const stranger of [elsewhere, silent]) {
      await expect(stranger.query()).rejects.toMatchObject({ code: 'not_found' });
      expect(await stranger.current()).toBeNull();
    }
  });

  it('refuse a cursor that is none of theirs', async () => {
    await expect(device.query({ cursor: 'bm9uZQ' })).rejects.toMatchObject({
      code: 'invalid',
      errors: [{ pointer: '/cursor', detail: expect.any(String) }],
    });
  });
});
