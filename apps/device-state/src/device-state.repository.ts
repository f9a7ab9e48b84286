import { Injectable } from '@nestjs/common';
import { beyond, columnsOf, Database, walk, whereAll, type FirstRows, type Position } from '#database';
import { type DeviceName, type RecordedEntry } from './device-record.js';
import { type StateChange } from './state-entry.js';
import { type StoredState } from './state-json.js';
import { ENTRY_COLUMNS, entryOf, NAME, readsOf, type Row } from './stored-record.js';

/** Where a change stands among all of a project: devices of one time by their ids, each in its own order. */
export type ChangePlace = [recorded_at: string, device_id: string, entry: string];

export interface FleetFilter {
  project_id: string;
  updated_since?: Date;
  at?: Date;
}

const CHANGE = `id, device_id, recorded_at, entry, version, operation, result, patch::text, "timestamp", clock, key_id`;

const STATE = `states.project_id, states.device_id, states.version, states.current::text, states.desired::text,
  states.desired_version, states.updated_at, states.first_seen_at, states.last_seen_at, states.duplicates`;

/** A state that has not changed since is what it was; any other is as its last entry until then left it. */
function stateThen(at: string): string {
  return `
  CASE WHEN states.updated_at <= ${at} THEN states.version ELSE past.version END AS version,
  CASE WHEN states.updated_at <= ${at} THEN states.current ELSE past.data END::text AS current,
  CASE WHEN states.updated_at <= ${at} THEN states.updated_at ELSE past.updated_at END AS updated_at,
  states.project_id, states.device_id, states.first_seen_at, NULL AS desired, 0 AS desired_version`;
}

function past(at: string): string {
  return `
  LEFT JOIN LATERAL (
    SELECT version, data, updated_at FROM device_state.history
    WHERE history.project_id = states.project_id AND history.device_id = states.device_id
      AND history.recorded_at <= ${at} AND states.updated_at > ${at}
    ORDER BY history.recorded_at DESC, history.entry DESC LIMIT 1
  ) AS past ON true`;
}

const GET = `
  SELECT ${STATE}, wanted.place::int FROM
    unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS wanted (project_id, device_id, place)
  JOIN device_state.states ON states.project_id = wanted.project_id AND states.device_id = wanted.device_id
  ORDER BY wanted.place`;

const GET_THEN = `
  SELECT ${stateThen('wanted.at')}, wanted.place::int FROM
    unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS wanted (project_id, device_id, at, place)
  JOIN device_state.states ON states.project_id = wanted.project_id AND states.device_id = wanted.device_id
  ${past('wanted.at')}
  ORDER BY wanted.place`;

/** A report moves a state in the order of changes: a page of up to 249 is of one moment, as long as its states have room. */
const CHANGED_AT_ONCE = 250;

type NumberedChange = StateChange & { entry: number };
type ChangeRow = Omit<StateChange, 'version'> & { version: string; entry: string };

@Injectable()
export class DeviceStateRepository {
  constructor(private readonly database: Database) {}

  /** One for each name; undefined where there is no row. */
  async find(names: DeviceName[]): Promise<(StoredState | undefined)[]> {
    const rows = await this.database.prepared<Row>('get-states', GET, columnsOf(names, NAME));
    return inPlaces(rows, names.length);
  }

  /** As `find`, each at its time. */
  async findThen(names: (DeviceName & { at: Date })[]): Promise<(StoredState | undefined)[]> {
    const values = [...columnsOf(names, NAME), names.map(({ at }) => at)];
    const rows = await this.database.prepared<Row>('get-states-then', GET_THEN, values);
    return inPlaces(rows, names.length);
  }

  /** As `find`, at a time as `findThen`, of as many of the first names as there is room for. */
  async findFirst(names: DeviceName[], at?: Date): Promise<(StoredState | undefined)[]> {
    const columns = columnsOf(names, NAME);
    const { rows, isCut } = at
      ? await this.database.firstRows<Row>(GET_THEN, [...columns, names.map(() => at)], 'get-states-then')
      : await this.database.firstRows<Row>(GET, columns, 'get-states');
    return inPlaces(rows, isCut ? (rows.at(-1)!.place as number) : names.length);
  }

  /** Whether the device ever reported. */
  async isKnown({ project_id, device_id }: DeviceName): Promise<boolean> {
    const rows = await this.database.prepared(
      'is-known',
      `SELECT FROM device_state.states WHERE project_id = $1 AND device_id = $2 AND first_seen_at IS NOT NULL`,
      [project_id, device_id],
    );
    return rows.length > 0;
  }

  /** A device's entries by (recorded_at, entry) from `after` on, read as many at a time as are `expected`. */
  history(
    { project_id, device_id }: DeviceName,
    { from, to, order }: { from?: Date; to?: Date; order: 'asc' | 'desc' },
    expected: number,
    after?: Position,
  ): AsyncGenerator<RecordedEntry[]> {
    return walk<RecordedEntry>(expected, async (limit, last) => {
      const { where, values, name } = whereAll([
        ['project_id = ?', project_id],
        ['device_id = ?', device_id],
        ['recorded_at >= ?', from],
        ['recorded_at < ?', to],
        beyond(['recorded_at', 'entry'], order, last ? [last.recorded_at, last.entry] : after),
      ]);
      const { rows, isCut } = await this.database.firstRows<Row>(
        `SELECT ${readsOf(ENTRY_COLUMNS)} FROM device_state.history
         WHERE ${where} ORDER BY recorded_at ${order}, entry ${order} LIMIT $${values.push(limit)}`,
        values,
        `history-${name}-${order}`,
      );
      return { rows: rows.map(entryOf), isCut };
    });
  }

  /** What timelines show, of a device or of all of a project, by (recorded_at, device_id, entry) from `after` on. */
  changes(
    { project_id, device_id }: { project_id: string; device_id?: string },
    { from, to, order }: { from?: Date; to?: Date; order: 'asc' | 'desc' },
    expected: number,
    after?: ChangePlace,
  ): AsyncGenerator<NumberedChange[]> {
    const sort = ['recorded_at', 'device_id', 'entry'];
    return walk<NumberedChange>(expected, async (limit, last) => {
      const { where, values, name } = whereAll([
        ['project_id = ?', project_id],
        ['device_id = ?', device_id],
        ['recorded_at >= ?', from],
        ['recorded_at < ?', to],
        beyond(sort, order, last ? [last.recorded_at, last.device_id, last.entry] : after),
      ]);
      const { rows, isCut } = await this.database.firstRows<ChangeRow>(
        `SELECT ${CHANGE} FROM device_state.history WHERE ${where}
         ORDER BY ${sort.map((column) => `${column} ${order}`).join(', ')} LIMIT $${values.push(limit)}`,
        values,
        `changes-${name}-${order}`,
      );
      return {
        rows: rows.map((row) => ({ ...row, entry: Number(row.entry), version: Number(row.version) })),
        isCut,
      };
    });
  }

  /**
   * States of a project, deleted ones among them, from `after` on: by (first_seen_at, device_id), which nothing
   * moves, or with `updated_since` by (updated_at, device_id). With `at` as they were then, by their first sight.
   */
  fleet(
    { project_id, updated_since, at }: FleetFilter,
    order: 'asc' | 'desc',
    expected: number,
    after?: Position,
  ): AsyncGenerator<StoredState[]> {
    const sortKey = fleetSortKey({ updated_since, at });
    const sort = [`states.${sortKey}`, 'states.device_id'] as const;
    const read = async (limit: number, last?: StoredState): Promise<FirstRows<StoredState>> => {
      const { where, values, name } = whereAll([
        ['states.project_id = ?', project_id],
        ['states.first_seen_at <= ?', at],
        ['states.updated_at >= ?', at ? undefined : updated_since],
        ['states.first_seen_at IS NOT NULL', at ? undefined : null],
        beyond(sort, order, last ? [last[sortKey], last.device_id] : after),
      ]);
      // The second of the values, when it is there, is `at`.
      const [columns, join] = at ? [stateThen('$2'), past('$2')] : [STATE, ''];
      const { rows, isCut } = await this.database.firstRows<Row>(
        `SELECT ${columns} FROM device_state.states ${join}
         WHERE ${where} ORDER BY ${sort[0]} ${order}, ${sort[1]} ${order} LIMIT $${values.push(limit)}`,
        values,
        `fleet-${sortKey}-${name}-${order}`,
      );
      return { rows: rows.map(stored), isCut };
    };
    return walk(expected, read, sortKey === 'updated_at' ? CHANGED_AT_ONCE : undefined);
  }
}

/** By what a list of states is sorted. */
export function fleetSortKey({
  updated_since,
  at,
}: Pick<FleetFilter, 'updated_since' | 'at'>): 'updated_at' | 'first_seen_at' {
  return updated_since && !at ? 'updated_at' : 'first_seen_at';
}

/** One for each of so many places, from 1 on. */
function inPlaces(rows: Row[], places: number): (StoredState | undefined)[] {
  const byPlace = new Map(rows.map((row) => [row.place, stored(row)]));
  return Array.from({ length: places }, (_, index) => byPlace.get(index + 1));
}

function stored(row: Row): StoredState {
  return {
    ...(row as unknown as StoredState),
    version: Number(row.version),
    desired_version: Number(row.desired_version),
    ...(row.duplicates !== undefined && { duplicates: Number(row.duplicates) }),
  };
}
