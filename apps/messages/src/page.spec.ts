import { decodeCursor } from '#database';
import { pageOf } from './page.js';

interface Letters {
  letters: string[];
  next_cursor: string | null;
}

const rows = ['a', 'b', 'c'].map((text, index) => ({
  text,
  created_at: `2026-01-31T12:00:00.00${index}Z`,
  id: `00000000-0000-7000-8000-00000000000${index}`,
}));
const page = (limit: number, size = 1) =>
  pageOf<(typeof rows)[number], Letters>('letters', rows, limit, ({ text }) =>
    JSON.stringify(text.repeat(size)),
  );

describe('a page', () => {
  it('ends without a cursor when there is nothing more', () => {
    const { body, marks } = page(3);
    expect(body).toEqual({ letters: ['a', 'b', 'c'], next_cursor: null });
    expect(marks.next_cursor).toBeUndefined();
  });

  it('goes on after its last row', () => {
    const { body, marks } = page(2);
    expect(body.letters).toEqual(['a', 'b']);
    expect(decodeCursor(body.next_cursor!)).toEqual([rows[1]!.created_at, rows[1]!.id]);
    expect(marks.next_cursor).toBe(body.next_cursor);
  });

  it('ends early rather than grow too large, but never empty', () => {
    const { body } = page(3, 5 * 1024 * 1024);
    expect(body.letters).toHaveLength(1);
    expect(decodeCursor(body.next_cursor!)).toEqual([rows[0]!.created_at, rows[0]!.id]);
  });

  it('of nothing is empty', () => {
    expect(pageOf('letters', [], 3, () => '').body).toEqual({ letters: [], next_cursor: null });
  });
});
