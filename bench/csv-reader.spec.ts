import fc from 'fast-check';
import { readCsv } from './csv-reader.js';

const quote = (cell: string): string => `"${cell.replaceAll('"', '""')}"`;
const cells = fc.array(
  fc.array(fc.string({ unit: fc.constantFrom('a', ',', '"', '\r', '\n', ' ', 'ü') }), { minLength: 1 }),
);

describe('A reader of CSV', () => {
  it('finds every cell again, whatever it holds', () => {
    fc.assert(
      fc.property(cells, (rows) => {
        const text = rows.map((row) => `${row.map(quote).join(',')}\r\n`).join('');

        expect(readCsv(text)).toEqual(rows);
      }),
    );
  });

  it('takes cells without quotes, empty ones included', () => {
    expect(readCsv('a,,c\r\n,"",x\r\n')).toEqual([
      ['a', '', 'c'],
      ['', '', 'x'],
    ]);
  });
});
