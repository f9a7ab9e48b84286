import { Inject, Injectable } from '@nestjs/common';
import {
  DEFAULT_LIMIT,
  Failure,
  parseMoment,
  Reply,
  sliceOf,
  type Call,
  type Caller,
  type DeviceDesire,
  type DeviceHistoryQuery,
  type DeviceReport,
  type DeviceStateView,
  type EntrySearch,
  type EntrySlice,
  type FleetQuery,
  type HistoryPage,
  type Nothing,
  type Outcome,
  type ReportedState,
  type StateConditions,
  type StateOf,
  type StatePage,
  type StateRemoval,
  type StatesOf,
} from '#contracts';
import { decodeCursor, foreignCursor, keyOf, listReply, pageOf, type Position } from '#database';
import { deltaOf } from './delta.js';
import { parseDocument, type Change, type DeviceRecord, type RecordedEntry } from './device-record.js';
import {
  CHUNK,
  DeviceStateRepository,
  fleetSortKey,
  nameOf,
  type ChangePlace,
  type DeviceName,
  type StoredState,
} from './device-state.repository.js';
import { type DuplicateRule } from './duplicate-rules.js';
import { stateEntryJson } from './state-entry.js';
import { changeBy, deletionOf, desireBy } from './reporting.js';

export const RULES = Symbol('the rules that tell a repeat from a change');

interface WantedState extends DeviceName {
  at?: Date;
}

interface DeviceWrite {
  device_id: string;
  conditions?: StateConditions;
}

interface Effect<T> extends Change {
  reply: Reply<T>;
}

@Injectable()
export class DeviceStateService {
  constructor(
    private readonly repository: DeviceStateRepository,
    @Inject(RULES) private readonly rules: readonly DuplicateRule[],
  ) {}

  report(calls: Call<DeviceReport>[]): Promise<Outcome<ReportedState>[]> {
    return this.write(calls, reportTagsOf, ({ request, caller }, record, now) => {
      const { result, ...change } = changeBy(request, record, caller.key_id, now, this.rules);
      return {
        ...change,
        reply: Reply.json(reportJson(change.record, result), { version: etagOf(change.record) }),
      };
    });
  }

  desire(calls: Call<DeviceDesire>[]): Promise<Outcome<DeviceStateView>[]> {
    return this.write(calls, tagsOf, ({ request }, record) => {
      const change = desireBy(request, record);
      return { ...change, reply: stateReply(change.record) };
    });
  }

  delete(calls: Call<StateRemoval>[]): Promise<Outcome<Nothing>[]> {
    return this.write(calls, tagsOf, ({ caller }, record, now) => {
      if (!isThere(record)) throw new Failure('not_found');
      return { ...deletionOf(record, caller.key_id, now), reply: Reply.of({}) };
    });
  }

  async get(calls: Call<StateOf>[]): Promise<Outcome<DeviceStateView>[]> {
    const wanted = calls.map(({ caller, request: { device_id, at } }) => ({
      project_id: caller.project_id,
      device_id,
      at: parseMoment(at),
    }));
    const states = await this.states(wanted);
    return states.map((state) => (state ? stateReply(state) : new Failure('not_found')));
  }

  async history({ caller, request }: Call<DeviceHistoryQuery>): Promise<Reply<HistoryPage>> {
    const { device_id, from, to, order = 'desc', limit = DEFAULT_LIMIT, cursor } = request;
    const device = { project_id: caller.project_id, device_id };
    const range = { from: parseMoment(from), to: parseMoment(to), order };
    const after = cursor === undefined ? undefined : entryPosition(cursor);
    const page = await pageOf(
      this.repository.history(device, range, limit + 1, after),
      limit,
      entryJson,
      ({ recorded_at, entry }) => [recorded_at.toISOString(), String(entry)],
    );
    if (page.rows.length === 0 && !(await this.repository.isKnown(device))) throw new Failure('not_found');
    return listReply('history', page);
  }

  async entries({ caller, request }: Call<EntrySearch>): Promise<Reply<EntrySlice>> {
    const { device_id, from, to, order, limit, cursor } = request;
    const range = { from: parseMoment(from), to: parseMoment(to), order };
    const after = cursor === undefined ? undefined : changePlace(cursor);
    const of = { project_id: caller.project_id, device_id };
    const changes = this.repository.changes(of, range, limit + 1, after);
    return sliceOf(changes, limit, stateEntryJson, (change) => `${change.entry} ${change.device_id}`);
  }

  async query({ caller, request }: Call<FleetQuery>): Promise<Reply<StatePage>> {
    if (caller.role === 'device') {
      const { updated_since, at } = request;
      return this.getMany(caller, { device_ids: [caller.principal], updated_since, at });
    }
    const { order = 'desc', limit = DEFAULT_LIMIT, cursor } = request;
    const times = timesOf(request);
    const sortKey = fleetSortKey(times);
    const after = cursor === undefined ? undefined : decodeCursor(cursor, 'text');
    const page = await pageOf(
      this.repository.fleet({ project_id: caller.project_id, ...times }, order, limit + 1, after),
      limit,
      (state) => (belongs(state, times.updated_since) ? stateJson(state) : undefined),
      (state) => [state[sortKey]!.toISOString(), state.device_id],
    );
    return listReply('states', page);
  }

  /** Of devices that somebody else has listed. */
  async getMany(caller: Caller, { device_ids, ...request }: StatesOf): Promise<Reply<StatePage>> {
    const { updated_since, at } = timesOf(request);
    const isOwn = (id: string): boolean => caller.role !== 'device' || id === caller.principal;
    const wanted = device_ids
      .filter(isOwn)
      .map((device_id) => ({ project_id: caller.project_id, device_id, at }));
    const page = await pageOf(
      this.listed(wanted, updated_since),
      device_ids.length,
      stateJson,
      ({ first_seen_at, device_id }) => [first_seen_at!.toISOString(), device_id],
    );
    return listReply('states', page);
  }

  /** Those of `states` that belong to a list, fetched some at a time. */
  private async *listed(wanted: WantedState[], updated_since?: Date): AsyncGenerator<StoredState> {
    for (let start = 0; start < wanted.length; start += CHUNK) {
      const states = await this.states(wanted.slice(start, start + CHUNK));
      for (const state of states) if (state && belongs(state, updated_since)) yield state;
    }
  }

  /** States now and then together, in the order asked for; undefined where there is or was none. */
  private async states(wanted: WantedState[]): Promise<(StoredState | undefined)[]> {
    const then = wanted.flatMap((one) => (one.at ? [{ ...one, at: one.at }] : []));
    const now = wanted.filter(({ at }) => !at);
    const [statesNow, statesThen] = await Promise.all([
      now.length > 0 ? this.repository.find(now) : [],
      then.length > 0 ? this.repository.findThen(then) : [],
    ]);
    return wanted.map(({ at }) => {
      const state = at ? statesThen.shift() : statesNow.shift();
      return state && isThere(state) ? state : undefined;
    });
  }

  /** The writes of a frame in the order they came, each on what those before it left. */
  private write<Request extends DeviceWrite, T>(
    calls: Call<Request>[],
    tagsOf: (record: DeviceRecord) => string[],
    effectOf: (call: Call<Request>, record: DeviceRecord, now: Date) => Effect<T>,
  ): Promise<Outcome<T>[]> {
    const writes = calls.map((call) => ({
      call,
      device: { project_id: call.caller.project_id, device_id: call.request.device_id },
      names: keyOf(call),
    }));
    return this.repository.change(writes, (fresh, locked) => {
      const records = new Map(locked);
      const now = new Date();
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

/** Whether there is something to show: a state, or a wish for one. */
function isThere({ current, desired }: Pick<StoredState, 'current' | 'desired'>): boolean {
  return current !== null || desired !== null;
}

/** Lists show what was reported; with `updated_since` what changed then or later. */
function belongs({ current, updated_at }: StoredState, updated_since?: Date): boolean {
  return current !== null && (updated_since === undefined || updated_at! >= updated_since);
}

function timesOf({ updated_since, at }: Pick<FleetQuery, 'updated_since' | 'at'>) {
  return {
    updated_since: parseMoment(updated_since),
    at: parseMoment(at),
  };
}

/** Changes with the state and with what is desired. */
function etagOf({ version, desired_version }: Pick<StoredState, 'version' | 'desired_version'>): string {
  return desired_version === 0 ? String(version) : `${version}-${desired_version}`;
}

function tagsOf(record: DeviceRecord): string[] {
  return [etagOf(record)];
}

/** A report may depend on the bare version, which leaves out what is desired: it does not change that. */
function reportTagsOf(record: DeviceRecord): string[] {
  return [...tagsOf(record), String(record.version)];
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

const EMPTY = '{}';

function reportJson({ current, version, duplicates, updated_at }: DeviceRecord, result: string): string {
  const rest = JSON.stringify({ version, result, duplicates, updated_at });
  return `{"data":{"current":${current ?? EMPTY}},${rest.slice(1)}`;
}

/** Documents are JSON text already, and go out as they are kept. */
function stateJson(state: StoredState): string {
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

function stateReply(state: StoredState): Reply<DeviceStateView> {
  return Reply.json(stateJson(state), { version: etagOf(state) });
}

function entryJson(row: RecordedEntry): string {
  const {
    id,
    operation,
    result,
    version,
    patch,
    data,
    timestamp,
    recorded_at,
    clock,
    sequence,
    boot_id,
    key_id,
  } = row;
  const rest = JSON.stringify({ timestamp, recorded_at, clock, sequence, boot_id, key_id });
  return `${JSON.stringify({ id, operation, result, version }).slice(0, -1)},"patch":${patch ?? 'null'},"data":${data ?? 'null'},${rest.slice(1)}`;
}

/** @throws Failure `invalid` for a cursor of another list */
function entryPosition(cursor: string): Position {
  const position = decodeCursor(cursor, 'text');
  if (/^\d{1,15}$/.test(position[1])) return position;
  throw foreignCursor();
}

/** @throws Failure `invalid` as above */
function changePlace(cursor: string): ChangePlace {
  const [recorded_at, place] = decodeCursor(cursor, 'text');
  const match = /^(\d{1,15}) (.+)$/s.exec(place);
  if (match) return [recorded_at, match[2]!, match[1]!];
  throw foreignCursor();
}
