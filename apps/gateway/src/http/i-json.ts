import { isUtf8 } from 'node:buffer';
import { Failure, withoutExponent } from '#contracts';

const MAX_DEPTH = 64;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

function refuse(detail: string): never {
  throw Failure.invalid({ pointer: '', detail });
}

/**
 * Parses JSON that every reader understands alike (I-JSON, RFC 7493): UTF-8 without a byte order mark, no two
 * equal names in an object, numbers that a double holds exactly, no NUL and no half of a surrogate pair. Names
 * that reach into JavaScript's prototypes are refused too. @throws Failure `invalid` for anything else
 *
 * @param decimals members of the body whose numbers are exact decimals: they come out as the text that was
 * written, as no double keeps the digits of 19.90
 */
export function parseIJson(bytes: Buffer, decimals: readonly string[] = []): unknown {
  if (!isUtf8(bytes)) refuse('must be UTF-8');
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    refuse(text.trim() === '' ? 'must not be empty' : 'must be valid JSON');
  }
  const written = checkTokens(text, decimals);
  return written.size === 0 ? value : { ...(value as object), ...Object.fromEntries(written) };
}

/**
 * Looks once at each token of a text that is known to be JSON.
 * @returns the numbers of the outermost object's `decimals`, as they are written
 */
function checkTokens(text: string, decimals: readonly string[]): Map<string, string> {
  const written = new Map<string, string>();
  let member = '';
  /** Names seen in each open object; null for an open array. */
  const open: (Set<string> | null)[] = [];
  let nameExpected = false;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      const end = endOfString(text, at);
      const raw = text.slice(at + 1, end);
      const escaped = raw.includes('\\');
      const content = escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
      if (escaped || nameExpected) checkText(content);
      if (nameExpected) {
        checkName(content, open.at(-1)!);
        member = content;
      }
      nameExpected = false;
      at = end;
    } else if (code === 0x7b || code === 0x5b) {
      open.push(code === 0x7b ? new Set() : null);
      if (open.length > MAX_DEPTH) refuse(`must not be nested deeper than ${MAX_DEPTH}`);
      nameExpected = code === 0x7b;
    } else if (code === 0x7d || code === 0x5d) {
      open.pop();
      nameExpected = false;
    } else if (code === 0x2c) {
      nameExpected = open.at(-1) instanceof Set;
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const end = endOfNumber(text, at);
      if (open.length === 1 && open[0] && decimals.includes(member)) {
        written.set(member, withoutExponent(text.slice(at, end)));
      } else checkNumber(text.slice(at, end));
      at = end - 1;
    }
  }
  return written;
}

function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes += 1;
    if (backslashes % 2 === 0) return end;
  }
}

function checkName(name: string, seen: Set<string>): void {
  if (seen.has(name))
    refuse(`must not hold the name ${JSON.stringify(name.slice(0, 64).toWellFormed())} twice`);
  if (name === '__proto__' || name === 'constructor' || name === 'prototype')
    refuse(`must not hold the name ${name}`);
  seen.add(name);
}

function checkText(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) refuse('must hold no NUL and no half of a surrogate pair');
}

function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && /[\d.eE+-]/.test(text[end]!)) end += 1;
  return end;
}

function checkNumber(written: string): void {
  if (written.length > 15 || /[eE]/.test(written)) {
    const number = Number(written);
    // Past 15 digits a whole number may turn into its neighbour: then it would be written with other digits.
    const survives =
      Number.isSafeInteger(number) ||
      !Number.isInteger(number) ||
      (!/^-?\d+$/.test(written) && digitsOf(written) === digitsOf(String(number)));
    if (!Number.isFinite(number) || !survives) refuse('must hold only numbers that a double can hold');
  }
}

/** Significant digits of a number as it is written. */
function digitsOf(written: string): string {
  const mantissa = written.split(/[eE]/)[0]!;
  return mantissa.replace(/[-.]/g, '').replace(/^0+|0+$/g, '');
}
