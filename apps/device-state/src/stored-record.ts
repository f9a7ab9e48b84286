import { type DeviceRecord, type RecordedEntry } from './device-record.js';

type Columns = readonly (readonly [name: string, type: string])[];

/** A row as Postgres gives it. */
export type Row = Record<string, unknown>;

export const NAME = ['project_id', 'device_id'] as const;

/** Of `states`, beside its name. */
export const RECORD_COLUMNS = [
  ['version', 'bigint'],
  ['current', 'json'],
  ['desired', 'json'],
  ['desired_version', 'bigint'],
  ['duplicates', 'bigint'],
  ['entries', 'bigint'],
  ['first_seen_at', 'timestamptz'],
  ['last_seen_at', 'timestamptz'],
  ['updated_at', 'timestamptz'],
  ['sequence', 'bigint'],
  ['boot_id', 'text'],
  ['earlier_boot_ids', 'json'],
  ['timestamp', 'timestamptz'],
] as const;

/** Of `history`. */
export const ENTRY_COLUMNS = [
  ['project_id', 'uuid'],
  ['device_id', 'text'],
  ['recorded_at', 'timestamptz'],
  ['entry', 'bigint'],
  ['id', 'uuid'],
  ['operation', 'text'],
  ['result', 'text'],
  ['version', 'bigint'],
  ['patch', 'json'],
  ['data', 'json'],
  ['updated_at', 'timestamptz'],
  ['timestamp', 'timestamptz'],
  ['clock', 'text'],
  ['sequence', 'bigint'],
  ['boot_id', 'text'],
  ['key_id', 'uuid'],
] as const;

export function namesOf(columns: Columns): string {
  return columns.map(([name]) => `"${name}"`).join(', ');
}

/** The columns as they are read: JSON as its text. */
export function readsOf(columns: Columns): string {
  return columns.map(([name, type]) => (type === 'json' ? `"${name}"::text` : `"${name}"`)).join(', ');
}

/** The parameters of `unnest`, behind as many others as `after`. */
export function arraysOf(columns: Columns, after = 0): string {
  return columns.map(([, type], index) => `$${index + 1 + after}::${type}[]`).join(', ');
}

/** A value as a parameter. */
export function valueOf(value: unknown): unknown {
  return Array.isArray(value) ? JSON.stringify(value) : value;
}

const numberOf = (value: unknown): number | null => (value === null ? null : Number(value));

export function recordOf(row: Row): DeviceRecord {
  return {
    ...(row as unknown as DeviceRecord),
    version: Number(row.version),
    desired_version: Number(row.desired_version),
    duplicates: Number(row.duplicates),
    entries: Number(row.entries),
    sequence: numberOf(row.sequence),
    earlier_boot_ids: JSON.parse(row.earlier_boot_ids as string) as string[],
  };
}

export function entryOf(row: Row): RecordedEntry {
  return {
    ...(row as unknown as RecordedEntry),
    entry: Number(row.entry),
    version: Number(row.version),
    sequence: numberOf(row.sequence),
  };
}
