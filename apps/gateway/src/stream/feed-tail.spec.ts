import fc from 'fast-check';
import { FEED_START, isBehind, type FeedPosition } from '#contracts';
import { type FeedBatch } from '#feeds';
import { FeedTail } from './feed-tail.js';

const at = (number: number): FeedPosition =>
  number === 0 ? FEED_START : [String(number), '0198c0de-0000-7000-8000-000000000001'];

/** The rows behind one number up to another, as the relay publishes them. */
function batch(after: number, to: number): FeedBatch {
  const entries = Array.from({ length: to - after }, (_, index) => {
    const position = at(after + index + 1);
    return { head: { project_id: 'p', position, id: position[1], device_id: null }, body: 'x'.repeat(10) };
  });
  return { kind: 'event', after: at(after), position: at(to), entries };
}

/** What a reader takes who stands there, up to the end. */
function walk(tail: FeedTail, from: number): number[] {
  const taken: number[] = [];
  let place = at(from);
  for (let next = tail.next(place); next; next = tail.next(place)) {
    const news = next.entries.filter(({ head }) => isBehind(head.position, place));
    taken.push(...news.map(({ head }) => Number(head.position[0])));
    place = next.position;
  }
  return taken;
}

const numbersFrom = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index + 1);

/** Batches as they may come: the next ones, old ones once more, some of each, or behind a gap. */
const batches = fc.array(
  fc.record({ back: fc.integer({ min: -2, max: 5 }), rows: fc.integer({ min: 1, max: 6 }) }),
  {
    minLength: 1,
    maxLength: 20,
  },
);

describe('the tail of a feed', () => {
  it('gives whoever it covers each row once, in order, whatever comes twice or is missing', () => {
    fc.assert(
      fc.property(batches, fc.nat(400), (coming, max_bytes) => {
        const tail = new FeedTail('event', max_bytes);
        tail.begin();
        tail.append(batch(19, 20));
        let end = 20;
        for (const { back, rows } of coming) {
          const after = Math.max(0, end - back);
          tail.append(batch(after, after + rows));
          end = Math.max(end, after + rows);
          for (let place = 0; place <= end; place += 1)
            if (tail.covers(at(place))) expect(walk(tail, place)).toEqual(numbersFrom(place, end));
          expect(tail.covers(at(end))).toBe(true);
        }
      }),
    );
  });

  it('is another one behind a gap', () => {
    const tail = new FeedTail('event');
    tail.begin();
    tail.append(batch(0, 3));
    const { epoch } = tail;
    tail.append(batch(3, 5));
    expect(tail.epoch).toBe(epoch);
    tail.append(batch(7, 8));
    expect(tail.epoch).not.toBe(epoch);
    expect([tail.covers(at(5)), tail.covers(at(7))]).toEqual([false, true]);
  });

  it('covers who has seen the end of the table since it began, wherever that was', () => {
    const tail = new FeedTail('event');
    expect(tail.coversEnd(at(5), tail.epoch)).toBe(false);
    const before = tail.epoch;
    tail.begin();
    expect([tail.coversEnd(at(5), before), tail.coversEnd(at(5), tail.epoch)]).toEqual([false, true]);
    tail.append(batch(5, 6));
    // The row at 5 was the last of the table, and was deleted before anybody looked.
    expect([tail.coversEnd(at(4), before), tail.coversEnd(at(4), tail.epoch)]).toEqual([false, true]);
    expect(tail.coversEnd(at(5), before)).toBe(true);
    tail.lose();
    expect(tail.coversEnd(at(6), tail.epoch)).toBe(false);
  });

  it('holds no more than it may', () => {
    const tail = new FeedTail('event', 100);
    tail.begin();
    for (let end = 5; end <= 50; end += 5) tail.append(batch(end - 5, end));
    expect([tail.covers(at(39)), tail.covers(at(40))]).toEqual([false, true]);
    expect(walk(tail, 40)).toEqual(numbersFrom(40, 50));
    expect([tail.coversEnd(at(39), tail.epoch), tail.coversEnd(at(40), tail.epoch)]).toEqual([false, true]);
  });
});
