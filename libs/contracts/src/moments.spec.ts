import fc from 'fast-check';
import { parseMoment, parseTimestamp } from './moments.js';

const instants = fc.date({
  min: new Date('0001-01-02T00:00:00Z'),
  max: new Date('9999-12-30T00:00:00Z'),
  noInvalidDate: true,
});

describe('a timestamp', () => {
  it.each([
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31t12:00:00z', '2026-01-31T12:00:00.000Z'],
    ['2026-01-31T12:00:00.5Z', '2026-01-31T12:00:00.500Z'],
    ['2026-01-31T12:00:00.123456789Z', '2026-01-31T12:00:00.123Z'],
    ['2026-01-31T12:00:00+05:30', '2026-01-31T06:30:00.000Z'],
    ['2026-01-31T12:00:00-23:59', '2026-02-01T11:59:00.000Z'],
    ['2026-01-31T12:00:00-00:00', '2026-01-31T12:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['0004-02-29T00:00:00Z', '0004-02-29T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('%s is %s', (text, instant) => {
    expect(parseTimestamp(text)?.toISOString()).toBe(instant);
  });

  it.each([
    ['no zone', '2026-01-31T12:00:00'],
    ['a day alone', '2026-01-31'],
    ['a blank instead of T', '2026-01-31 12:00:00Z'],
    ['no seconds', '2026-01-31T12:00Z'],
    ['a zone without a colon', '2026-01-31T12:00:00+0530'],
    ['a zone of 24 hours', '2026-01-31T12:00:00+24:00'],
    ['a zone of 60 minutes', '2026-01-31T12:00:00+05:60'],
    ['an empty fraction', '2026-01-31T12:00:00.Z'],
    ['a comma before the fraction', '2026-01-31T12:00:00,5Z'],
    ['a fraction of ten digits', '2026-01-31T12:00:00.1234567890Z'],
    ['the 30th of February', '2026-02-30T12:00:00Z'],
    ['a leap day in no leap year', '2026-02-29T12:00:00Z'],
    ['a leap day in 1900', '1900-02-29T12:00:00Z'],
    ['day 0', '2026-01-00T12:00:00Z'],
    ['month 0', '2026-00-01T12:00:00Z'],
    ['month 13', '2026-13-01T12:00:00Z'],
    ['the 31st of April', '2026-04-31T12:00:00Z'],
    ['hour 24', '2026-01-31T24:00:00Z'],
    ['minute 60', '2026-01-31T12:60:00Z'],
    ['a leap second', '9999-12-31T23:59:60Z'],
    ['the year 0000', '0000-01-01T00:00:00Z'],
    ['an instant before the year 1', '0001-01-01T00:00:00+00:01'],
    ['an instant after the year 9999', '9999-12-31T23:59:59-00:01'],
    ['a year of five digits', '+10000-01-01T00:00:00Z'],
    ['digits that are not ASCII', '٢٠٢٦-01-31T12:00:00Z'],
    ['a second line', '2026-01-31T12:00:00Z\n'],
    ['nothing', ''],
  ])('has not %s', (_, text) => {
    expect(parseTimestamp(text)).toBeUndefined();
    expect(parseMoment(text)).toEqual(text === '2026-01-31' ? new Date('2026-01-31T00:00:00Z') : undefined);
  });

  it('is the instant that was written, in whatever zone it was written', () => {
    fc.assert(
      fc.property(instants, fc.integer({ min: -1439, max: 1439 }), (instant, offset_minutes) => {
        const local = new Date(instant.getTime() + offset_minutes * 60_000).toISOString().slice(0, -1);
        const [hours, minutes] = [Math.floor(Math.abs(offset_minutes) / 60), Math.abs(offset_minutes) % 60];
        const zone = `${offset_minutes < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
        expect(parseTimestamp(local + zone)).toEqual(instant);
      }),
    );
  });
});

describe('a moment', () => {
  it.each([
    ['2026-01-31', '2026-01-31T00:00:00.000Z'],
    ['01-31-2026', '2026-01-31T00:00:00.000Z'],
    ['2024-02-29', '2024-02-29T00:00:00.000Z'],
    ['02-29-2024', '2024-02-29T00:00:00.000Z'],
    ['0001-01-01', '0001-01-01T00:00:00.000Z'],
    ['12-31-9999', '9999-12-31T00:00:00.000Z'],
    ['2026-01-31T12:00:00+01:00', '2026-01-31T11:00:00.000Z'],
  ])('%s is %s', (text, instant) => {
    expect(parseMoment(text)?.toISOString()).toBe(instant);
  });

  it.each([
    '2026-02-29',
    '02-29-2026',
    '31-01-2026',
    '2026-1-31',
    '1-31-2026',
    '2026/01/31',
    '20260131',
    '0000-01-01',
    '01-01-0000',
    '2026-01-31T12:00:00',
    '2026-01-31Z',
    'yesterday',
    '',
    undefined,
  ])('is not %j', (text) => {
    expect(parseMoment(text)).toBeUndefined();
  });

  it('is the same day in both ways to write it', () => {
    fc.assert(
      fc.property(instants, (instant) => {
        const [year, month, day] = instant.toISOString().slice(0, 10).split('-');
        const start = new Date(`${year}-${month}-${day}T00:00:00Z`);
        expect(parseMoment(`${year}-${month}-${day}`)).toEqual(start);
        expect(parseMoment(`${month}-${day}-${year}`)).toEqual(start);
      }),
    );
  });
});

function two(number: number): string {
  return String(number).padStart(2, '0');
}
