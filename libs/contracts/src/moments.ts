const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const YEAR_FIRST = /^\d{4}-\d\d-\d\d$/;
const MONTH_FIRST = /^(\d\d-\d\d)-(\d{4})$/;

function isCalendarDay(year: number, month: number, day: number): boolean {
  const date = new Date(Date.UTC(year, month - 1, day));
  return year >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}

/**
 * The instant an RFC 3339 timestamp names, to the millisecond; undefined for anything else: no zone, a day
 * that no calendar has, a leap second, the year 0000.
 */
export function parseTimestamp(text: string): Date | undefined {
  const match = RFC_3339.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (!isCalendarDay(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  const instant = new Date(text.toUpperCase());
  const utcYear = instant.getUTCFullYear();
  return utcYear >= 1 && utcYear <= 9999 ? instant : undefined;
}

/**
 * An instant for a filter: RFC 3339, or the start (UTC) of a day as `YYYY-MM-DD` or `MM-DD-YYYY`; undefined for anything
 * else, and for none.
 */
export function parseMoment(text: string | undefined): Date | undefined {
  const timestamp = text?.replace(MONTH_FIRST, '$2-$1').replace(YEAR_FIRST, '$&T00:00:00Z');
  return timestamp === undefined ? undefined : parseTimestamp(timestamp);
}
