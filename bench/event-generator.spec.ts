import fc from 'fast-check';
import { NewEvent, validatorOf } from '#contracts';
import { dayOfEvents, type GeneratedEvent } from './event-generator.js';

const DAY = '2026-01-15';
const generate = (seed: number, count: number): GeneratedEvent[] => [
  ...dayOfEvents({ seed, day: DAY, count }),
];

describe('A generated day of events', () => {
  it('is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        expect(generate(seed, 200)).toEqual(generate(seed, 200));
      }),
      { numRuns: 20 },
    );
  });

  it('is another for another seed', () => {
    const first = new Set(generate(1, 1_000).map(({ id }) => id));

    expect(generate(2, 1_000).filter(({ id }) => first.has(id))).toEqual([]);
  });

  it('has as many events as asked for, each of its own id, oldest first, all on that day', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 3_000 }), (seed, count) => {
        const events = generate(seed, count);
        const times = events.map(({ occurred_at }) => occurred_at);

        expect(new Set(events.map(({ id }) => id)).size).toBe(count);
        expect(times).toEqual([...times].sort());
        expect(times.every((time) => time.startsWith(DAY))).toBe(true);
      }),
      { numRuns: 20 },
    );
  });

  it('holds only events that the contract accepts', () => {
    const errors = generate(3, 5_000).flatMap((event) => validatorOf(NewEvent)(event));

    expect(errors).toEqual([]);
  });

  it('has favourites: the busiest device speaks a hundred times as often as the median one', () => {
    const counts = countBy(generate(4, 100_000), ({ device_id }) => device_id);

    expect(counts[0]).toBeGreaterThan(100 * counts[Math.floor(counts.length / 2)]!);
  });

  it('has hundreds of kinds of messages', () => {
    const kinds = countBy(generate(5, 50_000), ({ message }) => message.replace(/0x[\da-f]+|\d+/g, '#'));

    expect(kinds.length).toBeGreaterThan(200);
  });

  it('is busier in the morning than at night', () => {
    const hours = generate(6, 20_000).map(({ occurred_at }) => occurred_at.slice(11, 13));

    expect(hours.filter((hour) => hour === '09').length).toBeGreaterThan(
      2 * hours.filter((hour) => hour === '03').length,
    );
  });
});

/** How often each value occurs, the most frequent first. */
function countBy(events: GeneratedEvent[], valueOf: (event: GeneratedEvent) => string | undefined): number[] {
  return [...Map.groupBy(events, valueOf).entries()]
    .filter(([value]) => value !== undefined)
    .map(([, group]) => group.length)
    .sort((a, b) => b - a);
}
