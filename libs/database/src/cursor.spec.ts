import fc from 'fast-check';
import { decodeCursor, encodeCursor, type Position } from './cursor.js';

const instants = fc
  .date({
    min: new Date('0001-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  .map((instant) => instant.toISOString());
const positions: fc.Arbitrary<Position> = fc.tuple(
  instants,
  fc.string({ unit: 'grapheme', minLength: 1 }).filter((id) => !id.includes('\0') && id.isWellFormed()),
);

function cursorOf(content: unknown): string {
  return Buffer.from(JSON.stringify(content)).toString('base64url');
}

describe('a cursor', () => {
  it('leads back to the position that it was made of', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(decodeCursor(encodeCursor(position), 'text')).toEqual(position);
      }),
    );
  });

  it('can stand in a URL as it is', () => {
    fc.assert(
      fc.property(positions, (position) => {
        expect(encodeCursor(position)).toMatch(/^[\w-]+$/);
      }),
    );
  });

  it('is taken only as it was given out', () => {
    fc.assert(
      fc.property(positions, fc.nat(), fc.constantFrom('', 'A', '=', '!', ' '), (position, at, other) => {
        const cursor = encodeCursor(position);
        const place = at % cursor.length;
        const changed = cursor.slice(0, place) + other + cursor.slice(place + 1);
        let position_taken: Position | undefined;
        try {
          position_taken = decodeCursor(changed, 'text');
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid', errors: [{ pointer: '/cursor' }] });
        }
        if (position_taken) expect(encodeCursor(position_taken)).toBe(changed);
      }),
    );
  });

  it.each([
    ['nothing', ''],
    ['no base64url', '***'],
    ['no JSON', Buffer.from('[').toString('base64url')],
    ['an object', cursorOf({ 0: '2026-01-31T12:00:00.000Z', 1: 'id', length: 2 })],
    ['no id', cursorOf(['2026-01-31T12:00:00.000Z'])],
    ['a third part', cursorOf(['2026-01-31T12:00:00.000Z', 'id', 1])],
    ['a number for an id', cursorOf(['2026-01-31T12:00:00.000Z', 1])],
    ['a day for a time', cursorOf(['2026-01-31', 'id'])],
    ['a time without milliseconds', cursorOf(['2026-01-31T12:00:00Z', 'id'])],
    ['a time that is none', cursorOf(['now', 'id'])],
    ['a time that Postgres cannot read', cursorOf(['+010000-01-01T00:00:00.000Z', 'id'])],
    ['a time before the year 1', cursorOf(['0000-01-01T00:00:00.000Z', 'id'])],
    ['NUL in its id', cursorOf(['2026-01-31T12:00:00.000Z', 'a\0'])],
    ['half of a surrogate pair in its id', cursorOf(['2026-01-31T12:00:00.000Z', '\ud83d'])],
    ['spaces in its JSON', Buffer.from('["2026-01-31T12:00:00.000Z", "id"]').toString('base64url')],
    ['a list in a list for an id', cursorOf(['2026-01-31T12:00:00.000Z', ['id']])],
    ['padding', `${encodeCursor(['2026-01-31T12:00:00.000Z', 'id1'])}=`],
  ])('that holds %s is refused', (_, cursor) => {
    expect(() => decodeCursor(cursor, 'text')).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  it('of a walk by UUIDs is refused with any other id', () => {
    const cursorWith = (id: string) => encodeCursor(['2026-01-31T12:00:00.000Z', id]);
    const uuid = '01890a5d-ac96-774b-bcce-b302099a8057';
    expect(decodeCursor(cursorWith(uuid))[1]).toBe(uuid);
    for (const cursor of [cursorWith('pump 7'), cursorOf(['2026-01-31T12:00:00.000Z', [uuid]])])
      expect(() => decodeCursor(cursor)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
