import { applyDecorators } from '@nestjs/common';
import { isEmail, isSemVer, ValidateBy, ValidateIf, type ValidationArguments } from 'class-validator';
import { isPrice } from './decimals.js';
import { ApiProperty, type ApiPropertyOptions } from './documentation.js';
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

/** Text of 1 to `max` code points, kept as it came: blanks are text too. */
export function Characters(options: FieldOptions & { max: number }): PropertyDecorator {
  return field(
    'characters',
    (value) => typeof value === 'string' && value !== '' && isAtMost(value, options.max) && isStorable(value),
    `must be text of 1 to ${options.max} characters, without NUL`,
    { type: String, minLength: 1, maxLength: options.max },
    options,
  );
}

/** What nearly every address looks like: far cheaper to accept than by the whole grammar. */
const PLAIN_ADDRESS =
  /^[a-z\d_+-]{1,20}(\.[a-z\d_+-]{1,20}){0,2}@([a-z\d]{1,30}(-[a-z\d]{1,30})?\.){1,3}[a-z]{2,20}$/i;

/** An e-mail address as RFC 5321 allows it on the wire; of at most `max` characters, of which it allows 254. */
export function EmailAddress({
  max = 254,
  ...options
}: FieldOptions & { max?: number } = {}): PropertyDecorator {
  return field(
    'email_address',
    (value) =>
      typeof value === 'string' &&
      isAtMost(value, max) &&
      (PLAIN_ADDRESS.test(value) || (isStorable(value) && !CONTROL.test(value) && isEmail(value))),
    `must be an e-mail address of at most ${max} characters`,
    { type: String, format: 'email', maxLength: max },
    { example: 'ada@example.com', ...options },
  );
}

function isAddress(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    value !== '' &&
    isAtMost(value, 128) &&
    value.isWellFormed() &&
    !CONTROL.test(value)
  );
}

/** What messages are sent to: a member's e-mail address or a device's id. */
export function Address(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'address',
    isAddress,
    'must be an e-mail address or a device id of 1 to 128 characters, none of them a control character',
    { type: String, minLength: 1, maxLength: 128 },
    { example: 'ada@example.com', ...options },
  );
}

/** A device id: any 1–128 characters that the user chose, no control characters. */
export function DeviceId(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'device_id',
    isAddress,
    'must be 1 to 128 characters, none of them a control character',
    { type: String, minLength: 1, maxLength: 128 },
    { example: 'pump 7/north', ...options },
  );
}

/** A product's id: the rules of a device's. */
export function ProductId(options: FieldOptions = {}): PropertyDecorator {
  return DeviceId({ example: 'SKU 4711/blue', ...options });
}

/** The id of a product that may have a price: `changes` has none, as `GET /v1/prices/changes` is the list of changes. */
export function PricedProductId(): PropertyDecorator {
  return applyDecorators(
    ProductId({ description: 'Any but `changes`, whose route is the list of changes.' }),
    ValidateBy({
      name: 'priced_product_id',
      validator: {
        validate: (value) => value !== 'changes',
        defaultMessage: () => 'must not be "changes": /v1/prices/changes is the list of changes',
      },
    }),
  );
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

/** Of all UUIDs the first (RFC 9562, section 5.9). */
export const NIL_UUID = '00000000-0000-0000-0000-000000000000';

/** Of all UUIDs the last (RFC 9562, section 5.10). In a feed it stands for what is behind all rows, so that no row may have it. */
export const MAX_UUID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/** An id that its sender makes: any UUID but the Max UUID. */
export function OwnUuid(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'own_uuid',
    (value) => typeof value === 'string' && UUID.test(value) && value.toLowerCase() !== MAX_UUID,
    'must be a UUID, and not the Max UUID',
    { type: String, format: 'uuid' },
    options,
  );
}

/** One of a sequence, by its UUID or by an RFC 3339 time. */
export function UuidOrTimestamp(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'uuid_or_timestamp',
    (value) => typeof value === 'string' && (UUID.test(value) || parseTimestamp(value) !== undefined),
    'must be a UUID, or an RFC 3339 timestamp with a zone',
    { type: String },
    options,
  );
}

/** A JSON object, with what is in it. */
export function JsonObject(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'json_object',
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be a JSON object',
    { type: 'object', additionalProperties: true },
    options,
  );
}

/** Whether a JSON value has at most `max` objects and arrays inside each other. */
function isAtMostDeep(value: unknown, max: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return max > 0 && Object.values(value).every((member) => isAtMostDeep(member, max - 1));
}

/** A JSON object of bounded size, in bytes of its shortest text, and depth, which counts the object itself. */
export function JsonDocument(
  options: FieldOptions & { max_bytes: number; max_depth: number },
): PropertyDecorator {
  const { max_bytes, max_depth } = options;
  return field(
    'json_document',
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      isAtMostDeep(value, max_depth) &&
      Buffer.byteLength(JSON.stringify(value)) <= max_bytes,
    `must be a JSON object of at most ${max_bytes} bytes, nested at most ${max_depth} deep`,
    { type: 'object', additionalProperties: true },
    options,
  );
}

/**
 * An RFC 3339 timestamp with a zone. Kept to the millisecond.
 * @param options.ahead_ms how far it may lie in the future; as far as it likes unless told
 */
export function Timestamp(options: FieldOptions & { ahead_ms?: number } = {}): PropertyDecorator {
  const { ahead_ms = Infinity } = options;
  const bound = ahead_ms === Infinity ? '' : `, at most ${ahead_ms / 60_000} minutes ahead`;
  return field(
    'timestamp',
    (value) => {
      const instant = typeof value === 'string' ? parseTimestamp(value) : undefined;
      return instant !== undefined && instant.getTime() <= Date.now() + ahead_ms;
    },
    `must be an RFC 3339 timestamp with a zone, e.g. 2026-01-31T12:00:00Z${bound}`,
    { type: String, format: 'date-time' },
    options,
  );
}

/** A version as SemVer 2.0.0 (semver.org) writes it, of at most 256 characters; kept as it came. */
export function SemVer(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'sem_ver',
    (value) => typeof value === 'string' && value.length <= 256 && isSemVer(value),
    'must be a version as SemVer 2.0.0 writes it, e.g. 1.4.0-rc.1+build.5, of at most 256 characters',
    { type: String, maxLength: 256 },
    { example: '1.4.0', ...options },
  );
}

/** A word for programs: 1–64 of a–z, 0–9, `_`, `-`. */
export function Word(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'word',
    (value) => typeof value === 'string' && /^[a-z0-9_-]{1,64}$/.test(value),
    'must be 1 to 64 of a-z, 0-9, _ and -',
    { type: String, pattern: '^[a-z0-9_-]{1,64}$' },
    options,
  );
}

/** Beside another field decorator: this field and `other` exclude each other. */
export function NotWith(other: string): PropertyDecorator {
  return ValidateBy({
    name: 'not_with',
    validator: {
      validate: (_, argumentsOf) => (argumentsOf!.object as Record<string, unknown>)[other] === undefined,
      defaultMessage: () => `must not stand beside ${other}: they say the same thing twice`,
    },
  });
}

/** An end of a time range in a query: RFC 3339, `YYYY-MM-DD` or `MM-DD-YYYY`. */
export function Moment(options: FieldOptions = {}): PropertyDecorator {
  return field(
    'moment',
    (value) => typeof value === 'string' && parseMoment(value) !== undefined,
    'must be a time (RFC 3339) or a day (YYYY-MM-DD or MM-DD-YYYY)',
    {
      anyOf: [
        { type: 'string', format: 'date-time' },
        { type: 'string', format: 'date' },
        { type: 'string', pattern: '^\\d{2}-\\d{2}-\\d{4}$' },
      ],
      example: '2026-01-31',
    },
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

/** One or more words of a closed list, with commas between them. */
export function SomeOf(words: readonly string[], options: FieldOptions = {}): PropertyDecorator {
  const word = `(${words.join('|')})`;
  return field(
    'some_of',
    (value) => typeof value === 'string' && value.split(',').every((one) => words.includes(one)),
    `must be of ${words.join(', ')}, with commas between them`,
    { type: String, pattern: `^${word}(,${word})*$` },
    { optional: true, example: words.slice(0, 2).join(','), ...options },
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

/** What may stand in the header `Idempotency-Key`: as OpenAPI describes it, and in words. */
export const IDEMPOTENCY_KEY_SCHEMA = { minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' };
/** What is said of an `Idempotency-Key` that is none. */
export const IDEMPOTENCY_KEY_DETAIL = 'must be 1 to 255 visible ASCII characters';

const IDEMPOTENCY_KEY = new RegExp(IDEMPOTENCY_KEY_SCHEMA.pattern);

/** Whether it may stand in the header `Idempotency-Key`. */
export function isIdempotencyKey(value: unknown): value is string {
  const { maxLength } = IDEMPOTENCY_KEY_SCHEMA;
  return typeof value === 'string' && value.length <= maxLength && IDEMPOTENCY_KEY.test(value);
}

/** Where a body carries its idempotency key itself: the rules of the header. */
export function IdempotencyKeyField(): PropertyDecorator {
  return field(
    'idempotency_key',
    isIdempotencyKey,
    IDEMPOTENCY_KEY_DETAIL,
    { type: String, ...IDEMPOTENCY_KEY_SCHEMA },
    { optional: true, description: 'The same key again is the same line; see the header Idempotency-Key.' },
  );
}

/** Rows a page of a list unless told. */
export const DEFAULT_LIMIT = 100;

/** The page size of a list. */
export function Limit(max = 1000): PropertyDecorator {
  return WholeNumber({
    min: 1,
    max,
    optional: true,
    description: `Rows a page, ${Math.min(DEFAULT_LIMIT, max)} unless told.`,
  });
}

/** Where the next page of a list begins: the `next_cursor` of the page before. */
export function CursorField(): PropertyDecorator {
  return field(
    'cursor',
    // As long as an id of 128 characters makes it.
    (value) => typeof value === 'string' && /^[\w-]{1,1024}$/.test(value),
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
