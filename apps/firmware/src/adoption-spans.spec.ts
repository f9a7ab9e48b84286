import fc from 'fast-check';
import { rangesUntil, spread, type SpanChange, type SpanRange } from './adoption-spans.js';

const times = fc.oneof(
  fc.date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59Z'),
    noInvalidDate: true,
  }),
  fc.integer({ min: -100_000_000, max: 100_000_000 }).map((near_ms) => new Date(Date.UTC(2026, 0) + near_ms)),
  fc.constantFrom(...['1970-01-01T00:00:00Z', '2026-01-01T00:00:00Z'].map((text) => new Date(text))),
);

const changes = fc.array(
  fc.record({
    project_id: fc.constantFrom('one', 'other'),
    timestamp: times.map((time) => time.toISOString()),
    firmware: fc.constantFrom('1.0.0', '2.0.0'),
    change: fc.constantFrom(1, -1),
  }),
);

const sumOf = (items: { change: number }[]): number => items.reduce((sum, { change }) => sum + change, 0);
const isIn = ({ span_s, from_ms, to_ms }: SpanRange, one: SpanChange): boolean =>
  one.span_s === span_s && one.start_ms >= from_ms && one.start_ms < to_ms;

describe('spans of adoption', () => {
  it('add up to every change until a moment and with it, and to no other', () => {
    fc.assert(
      fc.property(changes, fc.option(times, { nil: undefined }), (all, at) => {
        const spans = spread(all);
        const ranges = rangesUntil(at);
        for (const project_id of ['one', 'other']) {
          for (const firmware of ['1.0.0', '2.0.0']) {
            const isOf = (one: { project_id: string; firmware: string }): boolean =>
              one.project_id === project_id && one.firmware === firmware;
            const until = all.filter((one) => isOf(one) && (!at || one.timestamp <= at.toISOString()));
            const counted = spans.filter((one) => isOf(one) && ranges.some((range) => isIn(range, one)));
            expect(sumOf(counted)).toBe(sumOf(until));
          }
        }
      }),
    );
  });

  it('add up at the very moment of each change', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const spans = spread(all);
        for (const { timestamp } of all) {
          const ranges = rangesUntil(new Date(timestamp));
          const until = all.filter((one) => one.timestamp <= timestamp);
          expect(sumOf(spans.filter((one) => ranges.some((range) => isIn(range, one))))).toBe(sumOf(until));
        }
      }),
    );
  });

  it('leave out what makes up for itself', () => {
    const change = { project_id: 'one', firmware: '1.0.0', timestamp: '2026-01-31T12:00:00.000Z' };
    const back = { ...change, timestamp: '2026-01-31T12:00:30.000Z', change: -1 };
    expect(spread([{ ...change, change: 1 }, back]).map(({ span_s }) => span_s)).toEqual([0, 0]);
  });
});
