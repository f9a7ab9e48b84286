import { Injectable } from '@nestjs/common';
import {
  DEFAULT_LIMIT,
  Failure,
  parseMoment,
  sliceOf,
  type Call,
  type Caller,
  type DeviceHistoryQuery,
  type DeviceStateView,
  type EntrySearch,
  type EntrySlice,
  type FleetQuery,
  type HistoryPage,
  type Outcome,
  type Reply,
  type StateOf,
  type StatePage,
  type StatesOf,
} from '#contracts';
import { decodeCursor, DEFAULT_PAGE_ROWS, foreignCursor, listReply, pageOf, type Position } from '#database';
import { type DeviceName, type RecordedEntry } from './device-record.js';
import { DeviceStateRepository, fleetSortKey, type ChangePlace } from './device-state.repository.js';
import { stateEntryJson } from './state-entry.js';
import { isThere, stateJson, stateReply, type StoredState } from './state-json.js';

interface WantedState extends DeviceName {
  at?: Date;
}

@Injectable()
export class DeviceStateService {
  constructor(private readonly repository: DeviceStateRepository) {}

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
      ({ recorded_at, entry }) => [recorded_at, String(entry)],
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
      (state) => [state[sortKey]!, state.device_id],
    );
    return listReply('states', page);
  }

  /** Of devices that somebody else has listed. */
  async getMany(caller: Caller, { device_ids, ...request }: StatesOf): Promise<Reply<StatePage>> {
    const { updated_since, at } = timesOf(request);
    const isOwn = (id: string): boolean => caller.role !== 'device' || id === caller.principal;
    const names = device_ids.filter(isOwn).map((device_id) => ({ project_id: caller.project_id, device_id }));
    const page = await pageOf(
      this.listed(names, updated_since, at),
      device_ids.length,
      stateJson,
      ({ first_seen_at, device_id }) => [first_seen_at!, device_id],
    );
    return listReply('states', page);
  }

  /** The states of these that belong to a list, read some at a time. */
  private async *listed(names: DeviceName[], updated_since?: Date, at?: Date): AsyncGenerator<StoredState[]> {
    for (let start = 0; start < names.length;) {
      const states = await this.repository.findFirst(names.slice(start, start + DEFAULT_PAGE_ROWS), at);
      yield states.flatMap((state) => (state && belongs(state, updated_since) ? [state] : []));
      start += states.length;
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
}

/** Lists show what was reported; with `updated_since` what changed then or later. */
function belongs({ current, updated_at }: StoredState, updated_since?: Date): boolean {
  return current !== null && (updated_since === undefined || updated_at! >= updated_since.toISOString());
}

function timesOf({ updated_since, at }: Pick<FleetQuery, 'updated_since' | 'at'>) {
  return { updated_since: parseMoment(updated_since), at: parseMoment(at) };
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
