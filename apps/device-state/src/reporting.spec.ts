import fc from 'fast-check';
import { Failure, type DeviceReport } from '#contracts';
import { type DeviceRecord, type RecordedEntry } from './device-record.js';
import { DUPLICATE_RULES } from './duplicate-rules.js';
import { type JsonObject } from './json-equality.js';
import { mergePatch } from './merge-patch.js';
import { changeBy, deletionOf, desireBy } from './reporting.js';

const START = Date.UTC(2026, 0, 31, 12);
const at = (ms: number): string => new Date(ms).toISOString();
const KEY_ID = '01a1fd56-b425-76a1-9a03-c95676710258';

const aRecord = (rest: Partial<DeviceRecord> = {}): DeviceRecord => ({
  project_id: '01a1fd56-b425-76a1-9a03-c95676710250',
  device_id: 'pump 7/north',
  version: 0,
  current: null,
  desired: null,
  desired_version: 0,
  duplicates: 0,
  entries: 0,
  first_seen_at: null,
  last_seen_at: null,
  updated_at: null,
  sequence: null,
  boot_id: null,
  earlier_boot_ids: [],
  timestamp: null,
  ...rest,
});
const aReport = (rest: Partial<DeviceReport> = {}): DeviceReport => ({
  device_id: 'pump 7/north',
  data: { on: true },
  replaces: false,
  ...rest,
});
const changed = (report: DeviceReport, record: DeviceRecord, ms = 0) =>
  changeBy(report, record, KEY_ID, at(START + ms), DUPLICATE_RULES);

const small = fc.constantFrom(null, 1, 2, 'x');
const patches = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.oneof(small, fc.dictionary(fc.constantFrom('d', 'e'), small, { maxKeys: 2, noNullPrototype: true })),
  { maxKeys: 3, noNullPrototype: true },
);
const steps: fc.Arbitrary<{ report: DeviceReport | 'delete'; passed_ms: number }> = fc.record({
  // Clocks of replicas disagree: the next frame may be handled by one that is behind.
  passed_ms: fc.integer({ min: -50, max: 100 }),
  report: fc.oneof(
    { arbitrary: fc.constant('delete' as const), weight: 1 },
    {
      arbitrary: fc.record(
        {
          device_id: fc.constant('pump 7/north'),
          data: patches,
          replaces: fc.boolean(),
          sequence: fc.nat(20),
          boot_id: fc.constantFrom('x', 'y', 'z'),
          age_ms: fc.nat(200),
        },
        { requiredKeys: ['device_id', 'data', 'replaces'], noNullPrototype: true },
      ),
      weight: 9,
    },
  ),
});

/** A device's life: its record after each step, and its history. */
function live(life: { report: DeviceReport | 'delete'; passed_ms: number }[]) {
  let now = START;
  let record = aRecord();
  const records: DeviceRecord[] = [];
  const history: RecordedEntry[] = [];
  for (const { report, passed_ms } of life) {
    now += passed_ms;
    const change =
      report === 'delete'
        ? deletionOf(record, KEY_ID, at(now))
        : changeBy(report, record, KEY_ID, at(now), DUPLICATE_RULES);
    record = change.record;
    records.push(record);
    if (change.entry) history.push(change.entry);
  }
  return { record, records, history };
}

/** What a reader of the history makes of it, from the patches alone. */
function replay(history: RecordedEntry[]): string | null {
  let state: JsonObject | null = null;
  for (const { operation, result, patch } of history) {
    if (result === 'stale') continue;
    if (operation === 'delete') state = null;
    else {
      const data = JSON.parse(patch!) as JsonObject;
      state = operation === 'replace' ? data : mergePatch(state ?? undefined, data);
    }
  }
  return state && JSON.stringify(state);
}

describe('a report', () => {
  it('makes version 1 of nothing, even when it says nothing', () => {
    const { result, record } = changed(aReport({ data: {} }), aRecord());
    expect(result).toBe('applied');
    expect(record).toMatchObject({ version: 1, current: '{}', first_seen_at: at(START) });
  });

  it('that is a duplicate is counted and moves last_seen_at alone', () => {
    const first = changed(aReport(), aRecord()).record;
    const { result, record, entry } = changed(aReport(), first, 5);
    expect(result).toBe('duplicate');
    expect(entry).toBeUndefined();
    expect(record).toEqual({
      ...first,
      duplicates: 1,
      last_seen_at: at(START + 5),
      timestamp: at(START + 5),
    });
  });

  it('that is stale is kept, and leaves the state', () => {
    const first = changed(aReport({ sequence: 7 }), aRecord()).record;
    const { result, record, entry } = changed(aReport({ sequence: 6, data: { on: false } }), first, 5);
    expect(result).toBe('stale');
    expect(record).toMatchObject({ version: 1, current: '{"on":true}', sequence: 7, entries: 2 });
    expect(entry).toMatchObject({ result: 'stale', version: 1, patch: '{"on":false}', data: '{"on":true}' });
  });

  it.each([
    [{ timestamp: '2026-01-31T11:00:00.5+00:00' }, 'device', '2026-01-31T11:00:00.500Z'],
    [{ age_ms: 60_000 }, 'relative', '2026-01-31T11:59:00.000Z'],
    [{}, 'server', '2026-01-31T12:00:00.000Z'],
  ])('with %j has its time by the clock of the %s', (evidence, clock, timestamp) => {
    const { entry } = changed(aReport(evidence), aRecord());
    expect(entry).toMatchObject({ clock, timestamp, key_id: KEY_ID });
  });

  it.each([
    ['before it is made', -10_000, -10_000],
    ['later, by a clock that is ahead', 10_000, 0],
  ])('that came %s has its age from then, but never from later than now', (_, came, then) => {
    const received_at = at(START + came);
    const timeOf = (evidence: Partial<DeviceReport>) =>
      changed(aReport({ ...evidence, received_at }), aRecord()).entry!.timestamp;
    expect(timeOf({ age_ms: 60_000 })).toBe(at(START + then - 60_000));
    expect(timeOf({})).toBe(at(START + then));
    expect(timeOf({ timestamp: at(START) })).toBe(at(START));
  });

  it('that waited is held against what was said since, and not against what waited with it', () => {
    const received_at = at(START - 10_000);
    const one = changed(aReport({ data: { a: 1 }, received_at }), aRecord());
    const two = changed(aReport({ data: { a: 2 }, age_ms: 0, received_at }), one.record);
    expect(two.result).toBe('applied');
    const since = changed(aReport({ data: { a: 3 }, timestamp: at(START - 5_000) }), two.record);
    expect(changed(aReport({ data: { a: 4 }, age_ms: 0, received_at }), since.record).result).toBe('stale');
  });

  it.each(['applied', 'duplicate'])(
    'without a time that waited, and is %s, lets none that is late undo what was said since',
    (result) => {
      const one = changed(aReport({ age_ms: 0 }), aRecord()).record;
      const received_at = at(START - 10_500);
      const two = changed(aReport({ data: { on: result === 'duplicate' }, received_at }), one, 500);
      expect(two.result).toBe(result);
      for (const evidence of [{ age_ms: 5_000 }, { timestamp: at(START - 4_000) }]) {
        const late = changed(aReport({ ...evidence, data: { on: 'late' } }), two.record, 1_000);
        expect(late.result).toBe('stale');
      }
    },
  );

  it('without a time takes back the time of a clock that was ahead, so that the right one is news again', () => {
    const ahead = changed(aReport({ timestamp: '2099-01-01T00:00:00Z' }), aRecord()).record;
    const timed = aReport({ data: { on: 'again' }, timestamp: at(START + 2_000) });
    expect(changed(timed, ahead, 2_000).result).toBe('stale');
    const untimed = changed(aReport({ data: { on: false } }), ahead, 1_000).record;
    expect(changed(timed, untimed, 2_000).result).toBe('applied');
  });

  it('without a time never takes back from when the last was', () => {
    const waited = fc.record(
      { sequence: fc.nat(30), boot_id: fc.constantFrom('x', 'y') },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(
        fc.array(steps, { maxLength: 20 }),
        patches,
        waited,
        fc.nat(1_000),
        (life, data, rest, ms) => {
          const { record } = live(life);
          const next = changed(aReport({ ...rest, data, received_at: at(START + ms) }), record, 2_000).record;
          expect(Date.parse(next.timestamp!)).toBeGreaterThanOrEqual(Date.parse(record.timestamp ?? at(0)));
        },
      ),
    );
  });

  it('of an earlier boot is late, however high it counts', () => {
    const one = changed(aReport({ sequence: 9, boot_id: 'one' }), aRecord()).record;
    const two = changed(aReport({ sequence: 0, boot_id: 'two', data: { on: false } }), one);
    expect(two.result).toBe('applied');
    expect(changed(aReport({ sequence: 10, boot_id: 'one' }), two.record).result).toBe('stale');
  });

  it('is refused when the state would grow too large', () => {
    const half = 'x'.repeat(40_000);
    const first = changed(aReport({ data: { a: half } }), aRecord()).record;
    expect(() => changed(aReport({ data: { b: half } }), first)).toThrow(Failure);
  });

  it('changes what is desired only when it says something else', () => {
    const wish = { device_id: 'pump 7/north', data: { on: false }, replaces: false };
    const first = desireBy(wish, aRecord()).record;
    expect(first).toMatchObject({ desired: '{"on":false}', desired_version: 1, version: 0 });
    expect(desireBy(wish, first).record).toBe(first);
  });
});

describe('the history of a device', () => {
  it('replayed, is its state, after any reports in any order', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 40 }), (life) => {
        const { record, history } = live(life);
        expect(replay(history)).toBe(record.current);
      }),
    );
  });

  it('has in each row all of the state that its rows until then make', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 30 }), (life) => {
        const { history } = live(life);
        history.forEach(({ data }, index) => expect(replay(history.slice(0, index + 1))).toBe(data));
      }),
    );
  });

  it('has versions and entries without gaps, and times that never run backwards', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 40 }), (life) => {
        const { record, history } = live(life);
        const applied = history.filter(
          ({ operation, result }) => operation !== 'delete' && result === 'applied',
        );
        expect(applied.map(({ version }) => version)).toEqual(applied.map((_, index) => index + 1));
        expect(history.map(({ entry }) => entry)).toEqual(history.map((_, index) => index + 1));
        const times = history.map(({ recorded_at }) => Date.parse(recorded_at));
        expect(times).toEqual([...times].sort((one, other) => one - other));
        expect(record.version).toBe(applied.length);
      }),
    );
  });

  it('is not changed by a repeat of any counted report', () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 20 }), patches, (life, data) => {
        const { record } = live(life);
        const report = aReport({ data, sequence: 1_000, boot_id: 'now' });
        const once = changed(report, record, 10_000).record;
        expect(changed(report, once, 20_000)).toMatchObject({
          result: 'duplicate',
          record: { version: once.version, current: once.current, entries: once.entries },
        });
      }),
    );
  });
});
