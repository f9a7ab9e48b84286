import { type Reply } from '#contracts';
import { decodeCursor } from './cursor.js';
import { listReply, pageOf } from './page.js';

interface Letters {
  letters: string[];
  next_cursor: string | null;
}

const rows = ['a', 'b', 'c'].map((text, index) => ({
  text,
  created_at: `2026-01-31T12:00:00.00${index}Z`,
  id: `00000000-0000-7000-8000-00000000000${index}`,
}));
type Row = (typeof rows)[number];

const page = async (
  limit: number,
  jsonOf = ({ text }: Row): string | undefined => JSON.stringify(text),
  walked: Row[] = rows,
): Promise<Reply<Letters>> =>
  listReply('letters', await pageOf([walked], limit, jsonOf, ({ created_at, id }) => [created_at, id]));

describe('a page', () => {
  it('ends without a cursor when there is nothing more', async () => {
    const { body, marks } = await page(3);
    expect(body).toEqual({ letters: ['a', 'b', 'c'], next_cursor: null });
    expect(marks.next_cursor).toBeUndefined();
  });

  it('holds letters of every length', async () => {
    const long = ['é', '’', '😀', 'a'].map((text) => ({ ...rows[0]!, text }));
    expect((await page(4, ({ text }) => JSON.stringify(text), long)).body.letters).toEqual([
      'é',
      '’',
      '😀',
      'a',
    ]);
  });

  it('goes on after its last row', async () => {
    const { body, marks } = await page(2);
    expect(body.letters).toEqual(['a', 'b']);
    expect(decodeCursor(body.next_cursor!)).toEqual([rows[1]!.created_at, rows[1]!.id]);
    expect(marks.next_cursor).toBe(body.next_cursor);
  });

  it('ends early rather than grow too large, but never empty', async () => {
    const { body } = await page(3, ({ text }) => JSON.stringify(text.repeat(5 * 1024 * 1024)));
    expect(body.letters).toHaveLength(1);
    expect(decodeCursor(body.next_cursor!)).toEqual([rows[0]!.created_at, rows[0]!.id]);
  });

  it('leaves out what does not belong to the list, and is not full of it', async () => {
    const { body } = await page(2, ({ text }) => (text === 'b' ? undefined : JSON.stringify(text)));
    expect(body).toEqual({ letters: ['a', 'c'], next_cursor: null });
  });

  it('ends early rather than look at too many rows that do not belong to it', async () => {
    const many = Array.from({ length: 5_001 }, () => rows[0]!);
    const { body } = await page(2, () => undefined, many);
    expect(body.letters).toEqual([]);
    expect(decodeCursor(body.next_cursor!)).toEqual([rows[0]!.created_at, rows[0]!.id]);
    expect((await page(2, () => undefined, many.slice(1))).body.next_cursor).toBeNull();
  });

  it('is followed by what else belongs to the list, then by its cursor', () => {
    const { json } = listReply('letters', { rows: ['"a"', '"b"'], bytes: 6 }, { capitals: null });
    expect(String(json)).toBe('{"letters":["a","b"],"capitals":null,"next_cursor":null}');
  });

  it('of nothing is empty', async () => {
    expect((await page(3, undefined, [])).body).toEqual({ letters: [], next_cursor: null });
  });
});
