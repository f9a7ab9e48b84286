import { type JsonObject } from './json-equality.js';

/**
 * Everything that is kept about one device's state. Documents are JSON text until somebody looks inside; times are RFC 3339
 * in UTC, whose order is that of their text.
 */
export interface DeviceRecord {
  project_id: string;
  device_id: string;
  /** Reports applied so far. */
  version: number;
  /** Null before the first report and after a deletion. */
  current: string | null;
  desired: string | null;
  desired_version: number;
  duplicates: number;
  /** Number of the last history entry. */
  entries: number;
  first_seen_at: string | null;
  last_seen_at: string | null;
  /** When `current` last changed. */
  updated_at: string | null;
  sequence: number | null;
  boot_id: string | null;
  earlier_boot_ids: readonly string[];
  timestamp: string | null;
}

export type DeviceName = Pick<DeviceRecord, 'project_id' | 'device_id'>;

/** Equal for the same device of the same project. */
export function nameOf({ project_id, device_id }: DeviceName): string {
  return `${project_id} ${device_id}`;
}

/** Of a device that nothing is kept about yet. */
export function newRecordOf({ project_id, device_id }: DeviceName): DeviceRecord {
  return {
    project_id,
    device_id,
    version: 0,
    current: null,
    desired: null,
    desired_version: 0,
    duplicates: 0,
    entries: 0,
    first_seen_at: null,
    last_seen_at: null,
    updated_at: null,
    sequence: null,
    boot_id: null,
    earlier_boot_ids: [],
    timestamp: null,
  };
}

/** A history row: what came, and all of the state after it. */
export interface RecordedEntry {
  project_id: string;
  device_id: string;
  recorded_at: string;
  entry: number;
  id: string;
  operation: 'merge' | 'replace' | 'delete';
  result: 'applied' | 'stale';
  version: number;
  patch: string | null;
  data: string | null;
  updated_at: string;
  timestamp: string;
  clock: 'device' | 'relative' | 'server';
  sequence: number | null;
  boot_id: string | null;
  key_id: string;
}

/** What one write makes of a record. Nothing is changed in place: a frame that fails leaves nothing behind. */
export interface Change {
  record: DeviceRecord;
  entry?: RecordedEntry;
}

export function parseDocument(text: string): JsonObject {
  return JSON.parse(text) as JsonObject;
}

/** A device's time never runs backwards, whichever replica's clock is behind. */
export function timeFor({ last_seen_at, updated_at }: DeviceRecord, now: string): string {
  return [last_seen_at, updated_at].reduce<string>(
    (latest, time) => (time && time > latest ? time : latest),
    now,
  );
}
