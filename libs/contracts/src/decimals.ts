const PLAIN = /^(0|[1-9]\d*)(?:\.(\d+))?$/;
const WITH_EXPONENT = /^(\d+)(?:\.(\d+))?[eE]([+-]?\d{1,2})$/;

const MAX_DIGITS = 18;
const MAX_FRACTION_DIGITS = 6;

/**
 * A decimal as JSON may write it (RFC 8259, section 6), without its exponent: `1e-05` is `0.00001`. All other
 * digits stay as they are. What has no exponent, or one that no sensible number has, stays as it is.
 */
export function withoutExponent(written: string): string {
  const match = WITH_EXPONENT.exec(written);
  if (!match) return written;
  const [, whole, fraction = '', exponent] = match as unknown as [string, string, string | undefined, string];
  const point = whole.length + Number(exponent);
  const digits = (whole + fraction).padStart(whole.length + fraction.length + Math.max(0, 1 - point), '0');
  const place = Math.max(point, 1);
  const head = digits
    .slice(0, place)
    .padEnd(place, '0')
    .replace(/^0+(?=\d)/, '');
  return digits.length > place ? `${head}.${digits.slice(place)}` : head;
}

/** Whether a text is a decimal above zero, of at most 18 digits, at most 6 of them after the point. */
export function isPrice(text: string): boolean {
  const match = PLAIN.exec(text);
  if (!match) return false;
  const [, whole, fraction = ''] = match as unknown as [string, string, string | undefined];
  return (
    whole.length + fraction.length <= MAX_DIGITS &&
    fraction.length <= MAX_FRACTION_DIGITS &&
    /[1-9]/.test(text)
  );
}

/** Whether two decimals are the same number: `19.9` is `19.90`. */
export function isSameDecimal(one: string, other: string): boolean {
  return shortest(one) === shortest(other);
}

function shortest(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}
