import { applyDecorators } from '@nestjs/common';
import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { isEmail, ValidateBy, ValidateIf, type ValidationArguments } from 'class-validator';
import { isPrice } from './decimals.js';
import { parseMoment, parseTimestamp } from './moments.js';

interface FieldOptions {
  optional?: boolean;
  example?: unknown;
  description?: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
// eslint-disable-next-line no-control-regex -- control characters are exactly what a device id may not hold
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** A rule and its OpenAPI description in one decorator; null is a wrong type, absence is not. */
function field(
  name: string,
  holds: (value: unknown) => boolean,
  detail: string,
  schema: ApiPropertyOptions,
  { optional = false, example, description }: FieldOptions,
): PropertyDecorator {
  const documented = {
    ...schema,
    ...(example !== undefined && { example }),
    ...(description && { description }),
  };
  return applyDecorators(
    ApiProperty({ ...documented, required: !optional } as ApiPropertyOptions),
    ...(optional ? [ValidateIf((_, value) => value !== undefined)] : []),
    ValidateBy({ name, validator: { validate: holds, defaultMessage: () => detail } }),
  );
}

/** Postgres can store neither NUL nor half a surrogate pair in text. */
function isStorable(text: string): boolean {
  return text.isWellFormed() && !text.includes('\0');
}

/** Length in code points is at most `max`; counts only when the cheap bound does not already answer. */
function isAtMost(text: string, max: number): boolean {
  return text.length <= max || (text.length <= 2 * max && [...text].length <= max);
}

/** Text that is not blank, of at most `max` code points. */
export function Text(options: FieldOptions & { max: number }): PropertyDecorator {
  return field(
    'text',
    (value) =>
      typeof value === 'string' && value.trim() !== '' && isAtMost(value, options.max) && isStorable(value),
    `must be text that is not blank, of at most ${options.max} characters, without NUL`,
    { type: String, minLength: 1, maxLength: options.max },
    options,
  );
}

/** An e-mail address as RFC 5321 allows it on the wire. */
export function EmailAddress(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'email_address',
    (value) => typeof value === 'string' && isStorable(value) && isEmail(value),
    'must be an e-mail address',
    { type: String, format: 'email', maxLength: 254 },
    { example: 'ada@example.com', ...options },
  );
}

/** A device id: any 1–128 characters that the user chose, no control characters. */
export function DeviceId(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'device_id',
    (value) =>
      typeof value === 'string' &&
      value !== '' &&
      isAtMost(value, 128) &&
      value.isWellFormed() &&
      !CONTROL.test(value),
    'must be 1 to 128 characters, none of them a control character',
    { type: String, minLength: 1, maxLength: 128 },
    { example: 'pump 7/north', ...options },
  );
}

/** A product's id: the rules of a device's. */
export function ProductId(options: FieldOptions = {}): PropertyDecorator {
  return DeviceId({ example: 'SKU 4711/blue', ...options });
}

/**
 * A decimal above zero, of at most 18 digits, at most 6 of them after the point; null too where `nullable`. A
 * number of a body arrives here as the text it was written as: the route says so with `@ExactDecimals()`.
 */
export function Price({
  nullable = false,
  ...options
}: FieldOptions & { nullable?: boolean } = {}): PropertyDecorator {
  return field(
    'price',
    (value) => (nullable && value === null) || (typeof value === 'string' && isPrice(value)),
    'must be a decimal above zero, of at most 18 digits, at most 6 of them after the point',
    { oneOf: [{ type: 'string' }, { type: 'number' }], nullable },
    options,
  );
}

/** Any UUID (RFC 9562), in any case. */
export function Uuid(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'uuid',
    (value) => typeof value === 'string' && UUID.test(value),
    'must be a UUID',
    { type: String, format: 'uuid' },
    options,
  );
}

/** A JSON object, kept as it came. */
export function JsonObject(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'json_object',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be a JSON object',
    { type: 'object', additionalProperties: true },
    options,
  );
}

/** An RFC 3339 timestamp with a zone. Kept to the millisecond. */
export function Timestamp(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'timestamp',
    (value) => typeof value === 'string' && parseTimestamp(value) !== undefined,
    'must be an RFC 3339 timestamp with a zone, e.g. 2026-01-31T12:00:00Z',
    { type: String, format: 'date-time' },
    options,
  );
}

/** An end of a time range in a query: RFC 3339, `YYYY-MM-DD` or `MM-DD-YYYY`. */
export function Moment(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'moment',
    (value) => typeof value === 'string' && parseMoment(value) !== undefined,
    'must be a time (RFC 3339) or a day (YYYY-MM-DD or MM-DD-YYYY)',
    { type: String, example: '2026-01-31' },
    { optional: true, ...options },
  );
}

/** The start of a time range whose end is the moment in the field `end`: not after it. */
export function MomentNotAfter(end: string): PropertyDecorator {
  const momentOf = (value: unknown): Date | undefined =>
    typeof value === 'string' ? parseMoment(value) : undefined;
  return ValidateBy({
    name: 'moment_not_after',
    validator: {
      validate: (value: unknown, on?: ValidationArguments) => {
        const [from, to] = [momentOf(value), momentOf((on!.object as Record<string, unknown>)[end])];
        return !from || !to || from <= to;
      },
      defaultMessage: () => `must not be after ${end}`,
    },
  });
}

/** One word of a closed list. */
export function OneOf(words: readonly string[], options: FieldOptions = {}): PropertyDecorator {
  return field(
    'one_of',
    (value) => typeof value === 'string' && words.includes(value),
    `must be one of ${words.join(', ')}`,
    { type: String, enum: [...words] },
    options,
  );
}

/** A whole number from `min` to `max`. */
export function WholeNumber(options: FieldOptions & { min: number; max: number }): PropertyDecorator {
  const { min, max } = options;
  return field(
    'whole_number',
    (value) => Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max,
    `must be a whole number from ${min} to ${max}`,
    { type: 'integer', minimum: min, maximum: max },
    options,
  );
}

/** A flat map of short texts, e.g. the labels of a device: at most 64 of them. */
export function Labels(options: FieldOptions = {}): PropertyDecorator {
  const isLabel = (text: unknown): boolean =>
    typeof text === 'string' && isAtMost(text, 128) && isStorable(text);
  return field(
    'labels',
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.keys(value).length <= 64 &&
      Object.entries(value).every(([name, text]) => name !== '' && isLabel(name) && isLabel(text)),
    'must be an object of at most 64 texts, each name and text at most 128 characters',
    { type: 'object', additionalProperties: { type: 'string' }, example: { site: 'north' } },
    options,
  );
}

/** The page size of a list. */
export function Limit(max = 1000): PropertyDecorator {
  return WholeNumber({
    min: 1,
    max,
    optional: true,
    description: `Rows a page, ${Math.min(100, max)} unless told.`,
  });
}

/** Where the next page of a list begins: the `next_cursor` of the page before. */
export function CursorField(): PropertyDecorator {
  return field(
    'cursor',
    (value) => typeof value === 'string' && /^[\w-]{1,512}$/.test(value),
    'must be the next_cursor of an earlier answer',
    { type: String },
    { optional: true },
  );
}

/** `asc` for oldest first, `desc` for newest first. */
export function Order(unless_told: 'asc' | 'desc' = 'desc'): PropertyDecorator {
  const first = unless_told === 'asc' ? 'Oldest' : 'Newest';
  return OneOf(['asc', 'desc'], {
    optional: true,
    description: `${first} first (${unless_told}) unless told.`,
  });
}
