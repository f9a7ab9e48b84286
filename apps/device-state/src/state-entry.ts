import { type RecordedEntry } from './device-record.js';

/** What of a history row a timeline shows. */
export type StateChange = Pick<
  RecordedEntry,
  | 'id'
  | 'device_id'
  | 'recorded_at'
  | 'version'
  | 'operation'
  | 'result'
  | 'patch'
  | 'timestamp'
  | 'clock'
  | 'key_id'
>;

/** A `StateEntry`. `patch` is JSON text already, and goes out as it is kept. */
export function stateEntryJson(change: StateChange): string {
  const { id, device_id, recorded_at, version, operation, result, patch, timestamp, clock, key_id } = change;
  const head = { kind: 'state', id, at: recorded_at, device_id, version, operation, result };
  const rest = { timestamp, clock, key_id };
  return `${JSON.stringify(head).slice(0, -1)},"patch":${patch ?? 'null'},${JSON.stringify(rest).slice(1)}`;
}
