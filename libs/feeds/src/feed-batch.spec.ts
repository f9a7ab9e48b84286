import { headers } from '@nats-io/transport-node';
import fc from 'fast-check';
import { FEED_KINDS, FEED_START, type FeedPosition } from '#contracts';
import { batchesOf, decodeBatch, encodeBatch, feedSubject, type FeedEntry } from './feed-batch.js';

const MIB = 1024 * 1024;
const sizes = fc.array(
  fc.oneof({ weight: 4, arbitrary: fc.nat(300) }, { weight: 1, arbitrary: fc.nat(2 * MIB) }),
  {
    maxLength: 12,
  },
);

function entriesOf(lengths: number[]): FeedEntry[] {
  return lengths.map((length, index) => {
    const id = `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
    const position: FeedPosition = ['7', id];
    return { head: { project_id: id, position, id, device_id: null }, body: 'é'.repeat(length / 2) };
  });
}

describe('batches of a feed', () => {
  it('have every entry once, in order, each batch behind the one before', () => {
    fc.assert(
      fc.property(sizes, (lengths) => {
        const entries = entriesOf(lengths);
        const batches = batchesOf('state', FEED_START, entries);
        expect(batches.flatMap((batch) => batch.entries)).toEqual(entries);
        let end = FEED_START;
        for (const { after, position, entries: own } of batches) {
          expect(after).toEqual(end);
          expect(position).toEqual(own.at(-1)!.head.position);
          end = position;
        }
      }),
      { numRuns: 30 },
    );
  });

  it('are no larger than they may be, unless one entry is', () => {
    fc.assert(
      fc.property(sizes, (lengths) => {
        for (const { entries } of batchesOf('state', FEED_START, entriesOf(lengths))) {
          const bytes = entries.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
          expect(entries.length === 1 || bytes <= MIB).toBe(true);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('never part the entries of one position', () => {
    const entries = entriesOf([MIB / 2, MIB / 2, MIB / 2]);
    const [, twin] = entries;
    const together = [
      entries[0]!,
      twin!,
      { ...twin!, head: { ...twin!.head, project_id: 'another' } },
      entries[2]!,
    ];
    const batches = batchesOf('event', FEED_START, together);
    expect(batches.map((batch) => batch.entries.length)).toEqual([3, 1]);
  });

  it.each(FEED_KINDS)('of kind %s arrive as they were sent', (kind) => {
    const [batch] = batchesOf(kind, ['3', FEED_START[1]], entriesOf([10, 0, 300]));
    const { data, headers: named } = encodeBatch(batch!);
    const carried = headers();
    for (const [name, value] of named) carried.set(name, value);
    const arrived = decodeBatch({ subject: feedSubject(kind), data, headers: carried })!;
    const text = ({ head, body }: FeedEntry): unknown => [head, Buffer.from(body).toString()];
    expect({ ...arrived, entries: arrived.entries.map(text) }).toEqual({
      ...batch,
      entries: batch!.entries.map(text),
    });
  });
});
