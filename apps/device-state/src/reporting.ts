import {
  Failure,
  MAX_STATE_BYTES,
  parseTimestamp,
  type DeviceDesire,
  type DeviceReport,
  type ReportedState,
} from '#contracts';
import { v7 as uuidv7 } from 'uuid';
import { parseDocument, timeFor, type Change, type DeviceRecord } from './device-record.js';
import { verdictOn, type DuplicateRule } from './duplicate-rules.js';
import { type Json, type JsonObject } from './json-equality.js';
import { mergePatch } from './merge-patch.js';

/** Boots that a device is known to have left behind: reports of theirs are late, however high they count. */
const KNOWN_BOOTS = 16;

/** What a report makes of a device's record. @throws Failure `invalid` when the state would grow too large */
export function changeBy(
  report: DeviceReport,
  record: DeviceRecord,
  key_id: string,
  now: string,
  rules: readonly DuplicateRule[],
): Change & { result: ReportedState['result'] } {
  const recorded_at = timeFor(record, now);
  const { timestamp, clock } = timeOf(report, recorded_at);
  const { sequence, boot_id } = report;
  const current = record.current === null ? null : parseDocument(record.current);
  const data = report.data as JsonObject;
  const document = report.replaces ? data : mergePatch(current ?? undefined, data);
  const { result, is_news } = verdictOn(
    { sequence, boot_id, timestamp: clock === 'server' ? undefined : timestamp, document },
    { ...record, document: current },
    rules,
  );

  const seen: DeviceRecord = {
    ...record,
    first_seen_at: record.first_seen_at ?? recorded_at,
    last_seen_at: recorded_at,
    ...(is_news && {
      timestamp: clock === 'server' ? laterOf(timestamp, credibleTime(record)) : timestamp,
      ...countOf(report, record),
    }),
  };
  if (result === 'duplicate') return { result, record: { ...seen, duplicates: record.duplicates + 1 } };

  const next: DeviceRecord = { ...seen, entries: record.entries + 1 };
  if (result === 'applied') {
    next.version = record.version + 1;
    next.current = boundedText(document);
    next.updated_at = recorded_at;
  }
  const { project_id, device_id, version, updated_at } = next;
  return {
    result,
    record: next,
    entry: {
      project_id,
      device_id,
      recorded_at,
      entry: next.entries,
      id: uuidv7(),
      operation: report.replaces ? 'replace' : 'merge',
      result,
      version,
      patch: JSON.stringify(data),
      data: next.current,
      updated_at: updated_at ?? recorded_at,
      timestamp,
      clock,
      sequence: sequence ?? null,
      boot_id: boot_id ?? null,
      key_id,
    },
  };
}

/** What a wish makes of a device's record. @throws Failure `invalid` when it would grow too large */
export function desireBy({ data, replaces }: DeviceDesire, record: DeviceRecord): Change {
  const before = record.desired === null ? undefined : parseDocument(record.desired);
  const desired = boundedText(replaces ? (data as JsonObject) : mergePatch(before, data as JsonObject));
  if (desired === record.desired) return { record };
  return { record: { ...record, desired, desired_version: record.desired_version + 1 } };
}

/** The end of a state: nothing is remembered but its counters, so that the device may begin anew. */
export function deletionOf(record: DeviceRecord, key_id: string, now: string): Required<Change> {
  const recorded_at = timeFor(record, now);
  const { project_id, device_id, version } = record;
  const entries = record.entries + 1;
  return {
    record: {
      ...record,
      entries,
      current: null,
      desired: null,
      desired_version: record.desired_version + (record.desired === null ? 0 : 1),
      updated_at: recorded_at,
      sequence: null,
      boot_id: null,
      earlier_boot_ids: [],
      timestamp: null,
    },
    entry: {
      project_id,
      device_id,
      recorded_at,
      entry: entries,
      id: uuidv7(),
      operation: 'delete',
      result: 'applied',
      version,
      patch: null,
      data: null,
      updated_at: recorded_at,
      timestamp: recorded_at,
      clock: 'server',
      sequence: null,
      boot_id: null,
      key_id,
    },
  };
}

/** Of a report without a clock, from when it came: what it waited since is not its age. */
function timeOf(
  { timestamp, age_ms, received_at }: DeviceReport,
  now: string,
): { timestamp: string; clock: 'device' | 'relative' | 'server' } {
  if (timestamp !== undefined)
    return { timestamp: parseTimestamp(timestamp)!.toISOString(), clock: 'device' };
  const came = Math.min(Date.parse(received_at ?? now), Date.parse(now));
  return {
    timestamp: new Date(came - (age_ms ?? 0)).toISOString(),
    clock: age_ms === undefined ? 'server' : 'relative',
  };
}

/**
 * What a report without a time does not take back, as it may come from a long wait: the time of the last one, but for that of a
 * clock that was ahead when it told it. Else no report with a right time would ever be news again.
 */
function credibleTime({ timestamp, last_seen_at }: DeviceRecord): string | null {
  return timestamp !== null && last_seen_at !== null && last_seen_at < timestamp ? last_seen_at : timestamp;
}

function laterOf(time: string, other: string | null): string {
  return other !== null && other > time ? other : time;
}

function countOf(
  { sequence, boot_id }: DeviceReport,
  { boot_id: last, earlier_boot_ids }: DeviceRecord,
): Partial<DeviceRecord> {
  if (sequence === undefined) return {};
  if (boot_id === undefined || boot_id === last) return { sequence };
  const earlier = last === null ? earlier_boot_ids : [last, ...earlier_boot_ids].slice(0, KNOWN_BOOTS);
  return { sequence, boot_id, earlier_boot_ids: earlier };
}

function boundedText(document: Json): string {
  const text = JSON.stringify(document);
  if (Buffer.byteLength(text) <= MAX_STATE_BYTES) return text;
  throw Failure.invalid({
    pointer: '/data',
    detail: `would make the document larger than ${MAX_STATE_BYTES} bytes`,
  });
}
