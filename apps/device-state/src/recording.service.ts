import { Inject, Injectable } from '@nestjs/common';
import {
  Failure,
  Reply,
  type Call,
  type DeviceDesire,
  type DeviceReport,
  type DeviceStateView,
  type Nothing,
  type Outcome,
  type ReportedState,
  type StateConditions,
  type StateRemoval,
} from '#contracts';
import { keyOf } from '#database';
import { nameOf, type Change, type DeviceRecord } from './device-record.js';
import { type DuplicateRule } from './duplicate-rules.js';
import { RecordingRepository } from './recording.repository.js';
import { changeBy, deletionOf, desireBy } from './reporting.js';
import { EMPTY, etagOf, isThere, stateReply } from './state-json.js';

export const RULES = Symbol('the rules that tell a repeat from a change');

interface DeviceWrite {
  device_id: string;
  conditions?: StateConditions;
}

interface Effect<T> extends Change {
  reply: Reply<T>;
}

@Injectable()
export class RecordingService {
  constructor(
    private readonly repository: RecordingRepository,
    @Inject(RULES) private readonly rules: readonly DuplicateRule[],
  ) {}

  report(calls: Call<DeviceReport>[]): Promise<Outcome<ReportedState>[]> {
    return this.write(calls, reportTags, ({ request, caller }, record, now) => {
      const { result, ...change } = changeBy(request, record, caller.key_id, now, this.rules);
      return {
        ...change,
        reply: Reply.json(reportJson(change.record, result), { version: etagOf(change.record) }),
      };
    });
  }

  desire(calls: Call<DeviceDesire>[]): Promise<Outcome<DeviceStateView>[]> {
    return this.write(calls, wholeTag, ({ request }, record) => {
      const change = desireBy(request, record);
      return { ...change, reply: stateReply(change.record) };
    });
  }

  delete(calls: Call<StateRemoval>[]): Promise<Outcome<Nothing>[]> {
    return this.write(calls, wholeTag, ({ caller }, record, now) => {
      if (!isThere(record)) throw new Failure('not_found');
      return { ...deletionOf(record, caller.key_id, now), reply: Reply.of({}) };
    });
  }

  /** The writes of a frame in the order they came, each on what those before it left. */
  private write<Request extends DeviceWrite, T>(
    calls: Call<Request>[],
    tagsOf: (record: DeviceRecord) => string[],
    effectOf: (call: Call<Request>, record: DeviceRecord, now: string) => Effect<T>,
  ): Promise<Outcome<T>[]> {
    const writes = calls.map((call) => ({
      call,
      device: { project_id: call.caller.project_id, device_id: call.request.device_id },
      names: keyOf(call),
    }));
    return this.repository.change(writes, (fresh, locked) => {
      const records = new Map(locked);
      const now = new Date().toISOString();
      const changes: Change[] = [];
      const outcomes = fresh.map(({ call, device }) => {
        const record = records.get(nameOf(device))!;
        try {
          checkConditions(call.request.conditions, record, tagsOf(record));
          const { reply, ...change } = effectOf(call, record, now);
          if (change.record !== record) changes.push(change);
          records.set(nameOf(device), change.record);
          return reply;
        } catch (error) {
          if (error instanceof Failure) return error;
          throw error;
        }
      });
      return { changes, outcomes };
    });
  }
}

function wholeTag(record: DeviceRecord): string[] {
  return [etagOf(record)];
}

/**
 * A report may depend on the bare version, which leaves out what is desired: it does not change that. Unless the state of
 * that version was deleted: what is there is a later wish.
 */
function reportTags(record: DeviceRecord): string[] {
  const { current, version } = record;
  return current === null && version > 0 ? wholeTag(record) : [...wholeTag(record), String(version)];
}

/** @param present the tags that the state has now @throws Failure `precondition_failed` */
function checkConditions(
  { if_match, if_none_match }: StateConditions = {},
  record: DeviceRecord,
  present: string[],
): void {
  const isNamed = (tags: string[]): boolean =>
    isThere(record) && tags.some((tag) => tag === '*' || present.includes(tag));
  if ((if_match && !isNamed(if_match)) || (if_none_match && isNamed(if_none_match))) {
    const detail = isThere(record) ? `The version now is "${etagOf(record)}"` : 'There is no state';
    throw new Failure('precondition_failed', detail);
  }
}

function reportJson({ current, version, duplicates, updated_at }: DeviceRecord, result: string): string {
  const rest = JSON.stringify({ version, result, duplicates, updated_at });
  return `{"data":{"current":${current ?? EMPTY}},${rest.slice(1)}`;
}
