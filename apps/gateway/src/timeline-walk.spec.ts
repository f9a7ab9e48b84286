import fc from 'fast-check';
import { ENTRY_KINDS, type AnyEntry, type EntryKind } from '#contracts';
import { decodeCursor } from '#database';
import {
  merge,
  searchOf,
  timelineCursor,
  timelinePlace,
  type KindSlice,
  type Order,
} from './timeline-walk.js';

interface Kept {
  kind: EntryKind;
  at: string;
  place: string;
}

/** Few times, so that many entries share one; the first and the last of all among them. */
const TIMES = [
  '0001-01-01T00:00:00.000Z',
  '2026-01-31T12:00:00.000Z',
  '2026-01-31T12:00:00.001Z',
  '2026-01-31T12:00:00.002Z',
  '9999-12-31T23:59:59.999Z',
];

const kept = fc.record({
  kind: fc.constantFrom(...ENTRY_KINDS),
  at: fc.constantFrom(...TIMES),
  place: fc.integer({ min: 0, max: 99 }).map((number) => String(number).padStart(2, '0')),
});
const nameOf = ({ kind, at, place }: Kept): string => `${at} ${kind} ${place}`;
const many = fc.uniqueArray(kept, { selector: nameOf, maxLength: 40 });
const orders = fc.constantFrom<Order>('asc', 'desc');
const ends = fc.option(fc.constantFrom(...TIMES), { nil: undefined });

function inOrder(some: Kept[], order: Order): Kept[] {
  const sorted = some.toSorted((one, other) => (nameOf(one) < nameOf(other) ? -1 : 1));
  return order === 'asc' ? sorted : sorted.reverse();
}

/** What a service answers that has these, and room for only so many. */
function sliceOf(
  all: Kept[],
  kind: EntryKind,
  order: Order,
  search: NonNullable<ReturnType<typeof searchOf>>,
  room: number,
): KindSlice {
  const { from = '', to, cursor } = search;
  const after = cursor === undefined ? undefined : decodeCursor(cursor, 'text').join(' ');
  const found = inOrder(all, order).filter(({ at, ...one }) => {
    const name = `${at} ${one.place}`;
    const isBehind = after === undefined || (order === 'asc' ? name > after : name < after);
    return one.kind === kind && at >= from && (to === undefined || at < to) && isBehind;
  });
  const some = found.slice(0, room);
  return {
    kind,
    entries: some.map(({ at, place }) => ({ kind, at, id: place }) as AnyEntry),
    places: some.map(({ place }) => place),
    has_more: some.length < found.length,
  };
}

interface Walk {
  order: Order;
  limit: number;
  from?: string;
  to?: string;
  /** How many entries the services have room for, one question after another. */
  rooms: number[];
}

/** Page by page to the end; `write` comes between pages. */
function walk(all: Kept[], { order, limit, from, to, rooms }: Walk, write?: () => void): Kept[] {
  const walked: Kept[] = [];
  let asked = 0;
  for (let cursor: string | undefined; ;) {
    const after = cursor === undefined ? undefined : timelinePlace(cursor);
    const slices = ENTRY_KINDS.flatMap((kind) => {
      const search = searchOf(kind, { from, to, order }, after);
      const room = Math.min(limit, rooms[asked++ % rooms.length]!);
      return search ? [sliceOf(all, kind, order, search, room)] : [];
    });
    const { entries, last } = merge(slices, order, limit);
    walked.push(...entries.map(({ kind, at, id }) => ({ kind, at, place: id })));
    if (!last) return walked;
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.length).toBeLessThanOrEqual(limit);
    cursor = timelineCursor(last);
    write?.();
  }
}

const walks = fc.record({
  order: orders,
  limit: fc.integer({ min: 1, max: 12 }),
  from: ends,
  to: ends,
  rooms: fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 7 }),
});

describe('a walk through a timeline', () => {
  it('meets each entry of its time once, in order, whatever the pages and the slices', () => {
    fc.assert(
      fc.property(many, walks, (all, one) => {
        const { from = '', to, order } = one;
        const wanted = all.filter(({ at }) => at >= from && (to === undefined || at < to));
        expect(walk(all, one)).toEqual(inOrder(wanted, order));
      }),
      { numRuns: 1_000 },
    );
  });

  it('meets what was there once, and nothing twice, while others write', () => {
    fc.assert(
      fc.property(many, many, walks, (before, written, { order, limit, rooms }) => {
        const names = new Set(before.map(nameOf));
        const news = written.filter((one) => !names.has(nameOf(one)));
        const all = [...before];
        const walked = walk(all, { order, limit, rooms }, () => all.push(...news.splice(0, 3)));
        expect(walked).toEqual(inOrder(walked, order));
        expect(new Set(walked.map(nameOf)).size).toBe(walked.length);
        expect(walked.filter((one) => names.has(nameOf(one)))).toEqual(inOrder(before, order));
      }),
      { numRuns: 1_000 },
    );
  });

  it('ends with no cursor that leads to nothing', () => {
    fc.assert(
      fc.property(many, orders, (all, order) => {
        const slices = ENTRY_KINDS.map((kind) => sliceOf(all, kind, order, {}, 50));
        expect(merge(slices, order, Math.max(1, all.length)).last).toBeUndefined();
      }),
    );
  });

  it('asks nobody for what cannot be there', () => {
    const after = { at: TIMES[4]!, kind: 'price', place: '00' } as const;
    expect(searchOf('state', { order: 'asc', from: '2026-02-01', to: '2026-01-31' })).toBeUndefined();
    expect(searchOf('event', { order: 'asc' }, after)).toBeUndefined();
    expect(searchOf('state', { order: 'asc' }, after)).toMatchObject({ from: TIMES[4] });
  });

  it.each([
    'x',
    Buffer.from('["2026-01-31T12:00:00.000Z","rumour 1"]').toString('base64url'),
    Buffer.from('["2026-01-31T12:00:00.000Z","state"]').toString('base64url'),
    Buffer.from('["2026-01-31","state 1"]').toString('base64url'),
  ])('does not begin at a place that it has not named: %s', (cursor) => {
    expect(() => timelinePlace(cursor)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
