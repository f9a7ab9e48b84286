import fc from 'fast-check';
import { isSameJson } from './json-equality.js';
import {
  byContent,
  bySequence,
  byTimestamp,
  DUPLICATE_RULES,
  verdictOn,
  type DuplicateRule,
  type Evidence,
  type Memory,
} from './duplicate-rules.js';

const NOON = '2026-01-31T12:00:00.000Z';
const EARLIER = '2026-01-31T11:59:59.999Z';
const LATER = '2026-01-31T12:00:00.001Z';

const aReport = (rest: Partial<Evidence> = {}): Evidence => ({ document: { on: true }, ...rest });
const remembering = (rest: Partial<Memory> = {}): Memory => ({
  sequence: null,
  boot_id: null,
  earlier_boot_ids: [],
  timestamp: null,
  document: { on: false },
  ...rest,
});

const reports: fc.Arbitrary<Evidence> = fc
  .record({
    sequence: fc.option(fc.nat(5), { nil: undefined }),
    boot_id: fc.option(fc.constantFrom('x', 'y'), { nil: undefined }),
    timestamp: fc.option(fc.constantFrom(EARLIER, NOON, LATER), { nil: undefined }),
    on: fc.boolean(),
  })
  .map(({ on, ...rest }) => ({ ...rest, document: { on } }));
const memories: fc.Arbitrary<Memory> = fc
  .record({
    sequence: fc.option(fc.nat(5)),
    boot_id: fc.option(fc.constantFrom('x', 'y')),
    timestamp: fc.option(fc.constantFrom(EARLIER, NOON, LATER)),
    document: fc.option(fc.boolean().map((on) => ({ on }))),
  })
  .map((rest) => ({ ...rest, earlier_boot_ids: [] }));

describe('the rule by sequence', () => {
  it.each<[Partial<Evidence>, Partial<Memory>, ReturnType<DuplicateRule['judge']>]>([
    [{}, { sequence: 7 }, undefined],
    [{ boot_id: 'x' }, { sequence: 7, boot_id: 'y' }, undefined],
    [{ sequence: 0 }, {}, 'newer'],
    [{ sequence: 8 }, { sequence: 7 }, 'newer'],
    [{ sequence: 7 }, { sequence: 7 }, 'duplicate'],
    [{ sequence: 6 }, { sequence: 7 }, 'stale'],
    [{ sequence: 7, boot_id: 'x' }, { sequence: 7, boot_id: 'x' }, 'duplicate'],
    [{ sequence: 0, boot_id: 'y' }, { sequence: 7, boot_id: 'x' }, 'newer'],
    [{ sequence: 0, boot_id: 'y' }, { sequence: 7 }, 'newer'],
    [{ sequence: 9, boot_id: 'x' }, { sequence: 0, boot_id: 'y', earlier_boot_ids: ['x'] }, 'stale'],
    [{ sequence: 6 }, { sequence: 7, boot_id: 'x' }, 'stale'],
  ])('judges %j after %j as %s', (report, last, judgement) => {
    expect(bySequence.judge(aReport(report), remembering(last))).toBe(judgement);
  });
});

describe('the rule by timestamp', () => {
  it.each<[string | undefined, string | null, ReturnType<DuplicateRule['judge']>]>([
    [undefined, NOON, undefined],
    [NOON, null, 'newer'],
    [LATER, NOON, 'newer'],
    [NOON, NOON, 'newer'],
    [EARLIER, NOON, 'stale'],
  ])('judges %p after %p as %s', (timestamp, last, judgement) => {
    expect(byTimestamp.judge(aReport({ timestamp }), remembering({ timestamp: last }))).toBe(judgement);
  });
});

describe('the rule by content', () => {
  it('takes for a repeat what leaves the state as it is, whatever the order of names', () => {
    const last = remembering({ document: { a: 1, b: [{ c: null }] } });
    expect(byContent.judge(aReport({ document: { b: [{ c: null }], a: 1 } }), last)).toBe('duplicate');
    expect(byContent.judge(aReport({ document: { b: [{ c: 0 }], a: 1 } }), last)).toBe('newer');
  });

  it('takes a first report for news, even an empty one', () => {
    expect(byContent.judge(aReport({ document: {} }), remembering({ document: null }))).toBe('newer');
  });
});

describe('the verdict on a report', () => {
  it('follows the sequence when the clock disagrees', () => {
    const last = remembering({ sequence: 7, timestamp: NOON });
    expect(verdictOn(aReport({ sequence: 8, timestamp: EARLIER }), last).result).toBe('applied');
    expect(verdictOn(aReport({ sequence: 6, timestamp: LATER }), last).result).toBe('stale');
  });

  it('follows the clock where there is no sequence', () => {
    expect(verdictOn(aReport({ timestamp: EARLIER }), remembering({ timestamp: NOON })).result).toBe('stale');
  });

  it('takes a newer report that changes nothing for a duplicate, and remembers how new it was', () => {
    const last = remembering({ sequence: 7, document: { on: true } });
    expect(verdictOn(aReport({ sequence: 8 }), last)).toEqual({ result: 'duplicate', is_news: true });
  });

  it('forgets a report that was no news', () => {
    const last = remembering({ sequence: 7, timestamp: NOON });
    expect(verdictOn(aReport({ sequence: 7 }), last)).toEqual({ result: 'duplicate', is_news: false });
    expect(verdictOn(aReport({ timestamp: EARLIER }), last)).toEqual({ result: 'stale', is_news: false });
  });

  it('applies a report without any evidence that changes something', () => {
    expect(verdictOn(aReport(), remembering({ sequence: 7, timestamp: LATER })).result).toBe('applied');
  });

  it('never applies what leaves the state as it is', () => {
    fc.assert(
      fc.property(reports, memories, (report, last) => {
        const { result } = verdictOn(report, { ...last, document: report.document });
        expect(result).not.toBe('applied');
      }),
    );
  });

  it('never applies the same counted report twice', () => {
    fc.assert(
      fc.property(reports, memories, fc.nat(5), (report, last, sequence) => {
        const counted = { ...report, sequence };
        const after: Memory = { ...last, sequence, boot_id: report.boot_id ?? last.boot_id };
        expect(verdictOn(counted, after).result).toBe('duplicate');
      }),
    );
  });

  it('is of the first rule that can tell the order', () => {
    fc.assert(
      fc.property(reports, memories, (report, last) => {
        const order = bySequence.judge(report, last) ?? byTimestamp.judge(report, last) ?? 'newer';
        const { result } = verdictOn(report, last);
        if (order === 'newer')
          expect(result).toBe(byContent.judge(report, last) === 'newer' ? 'applied' : 'duplicate');
        else expect(result).toBe(order);
      }),
    );
  });
});

describe('a rule of a user’s own', () => {
  // All it takes: one file with one object, and its place in the list.
  const byHeartbeat: DuplicateRule = {
    name: 'heartbeat',
    about: 'content',
    judge: ({ document }, last) =>
      isSameJson({ ...document, uptime: 0 }, { ...last.document, uptime: 0 }) ? 'duplicate' : 'newer',
  };

  it('is asked beside the others', () => {
    const last = remembering({ document: { on: true, uptime: 60 } });
    const beat = aReport({ document: { on: true, uptime: 120 } });
    const rules = [...DUPLICATE_RULES, byHeartbeat];
    expect(verdictOn(beat, last).result).toBe('applied');
    expect(verdictOn(beat, last, rules).result).toBe('duplicate');
    expect(verdictOn(aReport({ document: { on: false, uptime: 120 } }), last, rules).result).toBe('applied');
  });
});
