import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { DeviceLog, type Report } from './device-log.js';
import { isAfter, isInstall, type Place } from './install-history.js';

const NOW = '2026-01-31T12:00:00.000Z';

const aReport = (rest: Partial<Report> = {}): Report => ({
  project_id: 'north',
  device_id: 'pump 7',
  id: randomUUID(),
  firmware: '1.0.0',
  status: 'installed',
  ...rest,
});
const aLog = (): DeviceLog =>
  new DeviceLog({ project_id: 'north', device_id: 'pump 7', newest: null, current: null }, [], []);

/** On so few moments, versions and words that many are the same event. */
const reports = fc.uniqueArray(
  fc
    .record({
      id: fc.uuid(),
      timestamp: fc.integer({ min: 0, max: 3 }).map((second) => `2026-01-31T11:00:0${second}.000Z`),
      firmware: fc.constantFrom('1.0.0', '1.0.1'),
      status: fc.constantFrom('downloading', 'installed', 'updated', 'failed'),
    })
    .map((rest) => aReport(rest) as Report & { timestamp: string }),
  { selector: ({ id }) => id },
);

describe('the log of a device', () => {
  it('takes what was said with the same time, version and status for one event', () => {
    const log = aLog();
    const report = aReport({ timestamp: NOW });
    expect(log.take(report, NOW).isRepeat).toBe(false);
    expect(log.take({ ...report, id: randomUUID() }, NOW)).toMatchObject({
      isRepeat: true,
      event: { id: report.id },
    });
    for (const other of [
      { timestamp: '2026-01-31T12:00:00.001Z' },
      { firmware: '1.0.0+b' },
      { status: 'updated' },
    ])
      expect(log.take({ ...report, id: randomUUID(), ...other }, NOW).isRepeat).toBe(false);
  });

  it('knows what is kept already', () => {
    const { device } = aLog();
    const { event } = aLog().take(aReport({ timestamp: NOW }), NOW);
    const log = new DeviceLog({ ...device, newest: event }, [event], []);
    expect(log.take(aReport({ timestamp: NOW }), NOW)).toEqual({ event, isRepeat: true });
    expect(log.added).toEqual([]);
  });

  it('ends up with the newest install as current, whatever the order of arrival', () => {
    fc.assert(
      fc.property(reports, (arriving) => {
        const log = aLog();
        for (const report of arriving) log.take(report, NOW);
        const installs = log.added.filter(({ status }) => isInstall(status));
        const newest = installs.reduce<Place | null>(
          (one, other) => (!one || isAfter(other, one) ? other : one),
          null,
        );
        expect(log.device.current?.id).toBe(newest?.id);
        expect(log.device.newest?.timestamp).toBe(
          arriving
            .map(({ timestamp }) => timestamp)
            .sort()
            .at(-1),
        );
        const names = arriving.map(({ timestamp, firmware, status }) => [timestamp, firmware, status].join());
        expect(log.added).toHaveLength(new Set(names).size);
      }),
    );
  });

  describe('without a timestamp', () => {
    it('takes what repeats the newest event for that event', () => {
      const log = aLog();
      const first = log.take(aReport(), NOW);
      expect(log.take(aReport(), NOW)).toEqual({ event: first.event, isRepeat: true });
    });

    it('takes a return to an earlier version for a new event', () => {
      const log = aLog();
      const versions = ['1.0.0', '1.1.0', '1.0.0'];
      const verdicts = versions.map((firmware) => log.take(aReport({ firmware }), NOW));
      expect(verdicts.map(({ isRepeat }) => isRepeat)).toEqual([false, false, false]);
      expect(log.device.current?.firmware).toBe('1.0.0');
    });

    it('takes the order of arrival for the order of time, even where clocks disagree', () => {
      const log = aLog();
      const earlier = '2026-01-31T11:59:59.000Z';
      log.take(aReport({ firmware: '1.0.0' }), NOW);
      const { event } = log.take(aReport({ firmware: '1.1.0' }), earlier);
      expect(event).toMatchObject({ timestamp: '2026-01-31T12:00:00.001Z', created_at: earlier });
      expect(log.device.current?.firmware).toBe('1.1.0');
    });
  });
});
