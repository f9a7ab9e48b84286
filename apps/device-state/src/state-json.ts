import { Reply, type DeviceStateView } from '#contracts';
import { deltaOf } from './delta.js';
import { parseDocument, type DeviceName } from './device-record.js';

/** A state as readers see it: now, or as history knows it. */
export interface StoredState extends DeviceName {
  version: number;
  current: string | null;
  desired: string | null;
  desired_version: number;
  updated_at: string | null;
  first_seen_at: string | null;
  /** Unknown of the past. */
  last_seen_at?: string | null;
  duplicates?: number;
}

/** Whether there is something to show: a state, or a wish for one. */
export function isThere({ current, desired }: Pick<StoredState, 'current' | 'desired'>): boolean {
  return current !== null || desired !== null;
}

/** Changes with the state and with what is desired. */
export function etagOf({
  version,
  desired_version,
}: Pick<StoredState, 'version' | 'desired_version'>): string {
  return desired_version === 0 ? String(version) : `${version}-${desired_version}`;
}

/** A state of which nothing was reported. */
export const EMPTY = '{}';

/** Documents are JSON text already, and go out as they are kept. */
export function stateJson(state: StoredState): string {
  const { device_id, current, desired, version, updated_at, first_seen_at, last_seen_at, duplicates } = state;
  const delta =
    desired === null ? undefined : deltaOf(parseDocument(desired), parseDocument(current ?? EMPTY));
  const rest = JSON.stringify({ version, updated_at, first_seen_at, last_seen_at, duplicates });
  return (
    `{"device_id":${JSON.stringify(device_id)},"data":{"current":${current ?? EMPTY}` +
    (desired === null ? '' : `,"desired":${desired}`) +
    (delta === undefined ? '' : `,"delta":${JSON.stringify(delta)}`) +
    `},${rest.slice(1)}`
  );
}

export function stateReply(state: StoredState): Reply<DeviceStateView> {
  return Reply.json(stateJson(state), { version: etagOf(state) });
}
