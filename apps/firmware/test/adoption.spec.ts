import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { type Adoption, type FirmwareEvent } from '#contracts';
import { queryDatabase } from '#testing';
import { isInstall } from '../src/install-history.js';
import { DeviceCalls } from './device-calls.js';
import { startFirmware, type Firmware } from './start-firmware.js';

const START_MS = Date.UTC(2026, 0, 31, 12);

/** What each device's own events, newest first, say about which version it ran at a moment. */
function bruteForce(devices: FirmwareEvent[][], at = '9999'): Adoption {
  const counts = new Map<string, number>();
  for (const events of devices) {
    const running = events.find(({ status, timestamp }) => isInstall(status) && timestamp <= at)?.firmware;
    if (running) counts.set(running, (counts.get(running) ?? 0) + 1);
  }
  const versions = [...counts]
    .map(([firmware, devices]) => ({ firmware, devices }))
    .sort((one, other) => other.devices - one.devices || (one.firmware < other.firmware ? -1 : 1));
  return { total: versions.reduce((sum, { devices }) => sum + devices, 0), versions };
}

describe('adoption', () => {
  let service: Firmware;
  beforeAll(async () => {
    service = await startFirmware({ replicas: 2 });
  });
  afterAll(() => service.stop());

  const someDevices = (count: number): DeviceCalls[] => {
    const project_id = randomUUID();
    return Array.from({ length: count }, () => new DeviceCalls(service, project_id));
  };

  it('is nothing where nobody has reported', async () => {
    expect(await new DeviceCalls(service).adoption()).toEqual({ total: 0, versions: [] });
  });

  it('counts each device once, for what it runs, most devices first', async () => {
    const [one, two, three, four] = someDevices(4) as [DeviceCalls, DeviceCalls, DeviceCalls, DeviceCalls];
    for (const device of [one, two, three]) await device.record({ firmware: '1.0.0' });
    await three.record({ firmware: '1.1.0', status: 'updated' });
    await four.record({ firmware: '1.2.0', status: 'downloading' });
    expect(await one.adoption()).toEqual({
      total: 3,
      versions: [
        { firmware: '1.0.0', devices: 2 },
        { firmware: '1.1.0', devices: 1 },
      ],
    });
  });

  it('tells nothing of another project', async () => {
    const [device] = someDevices(1);
    await device!.record();
    expect(await new DeviceCalls(service).adoption()).toEqual({ total: 0, versions: [] });
    expect(await new DeviceCalls(service).adoption('2026-12-31')).toEqual({ total: 0, versions: [] });
  });

  it('keeps no row of what made up for itself', async () => {
    const [device] = someDevices(1);
    for (let index = 0; index < 20; index += 1) await device!.record({ firmware: `1.0.${index}` });
    const rows = await queryDatabase<{ span_s: number; firmware: string }>(
      service.urls.owner,
      `SELECT firmware FROM firmware.adoption_changes WHERE project_id = $1 AND span_s = 2592000`,
      [device!.project_id],
    );
    expect(rows).toEqual([{ firmware: '1.0.19' }]);
  });

  it('is what counting every event would say, now and at any time, after any order of arrival', async () => {
    const offsets = fc.oneof(
      fc.integer({ min: 0, max: 5 }),
      fc.integer({ min: -90_000, max: 90_000 }),
      fc.integer({ min: -100 * 86_400_000, max: 0 }),
    );
    const arrivals = fc.array(
      fc.record({
        device: fc.nat(3),
        offset_ms: offsets,
        firmware: fc.constantFrom('1.0.0', '1.1.0', '2.0.0'),
        status: fc.constantFrom('installed', 'installed', 'updated', 'failed'),
      }),
      { minLength: 1, maxLength: 40 },
    );
    const timeOf = (offset_ms: number): string => new Date(START_MS + offset_ms).toISOString();
    await fc.assert(
      fc.asyncProperty(
        arrivals,
        fc.array(offsets, { maxLength: 5 }),
        fc.boolean(),
        async (all, others, atOnce) => {
          const devices = someDevices(4);
          const record = ({ device, offset_ms, firmware, status }: (typeof all)[number], index: number) => {
            const way = index % 2 ? devices[device]! : devices[device]!.over(service.anotherBus);
            return way.record({ timestamp: timeOf(offset_ms), firmware, status });
          };
          if (atOnce) await Promise.all(all.map(record));
          else for (const [index, one] of all.entries()) await record(one, index);

          const silent = new Set(devices.map((_, index) => index));
          for (const { device } of all) silent.delete(device);
          const events = await Promise.all(
            devices.filter((_, index) => !silent.has(index)).map((one) => one.events()),
          );
          expect(await devices[0]!.adoption()).toEqual(bruteForce(events));
          const moments = [
            ...all.slice(0, 6).flatMap(({ offset_ms }) => [offset_ms, offset_ms - 1]),
            ...others,
          ];
          for (const at of moments.map(timeOf))
            expect(await devices[0]!.adoption(at)).toEqual(bruteForce(events, at));
        },
      ),
      { numRuns: 60 },
    );
  });
});
