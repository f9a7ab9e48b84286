import { Injectable } from '@nestjs/common';
import { type Outcome } from '#contracts';
import {
  beyond,
  columnsOf,
  Database,
  takeTurns,
  whereAll,
  writeOnce,
  type Named,
  type Position,
} from '#database';
import { type EntityManager } from 'typeorm';
import { SCHEMA } from './device-state.entity.js';
import { newRecordOf, type Change, type DeviceRecord, type RecordedEntry } from './device-record.js';
import { type StateChange } from './state-entry.js';

export type DeviceName = Pick<DeviceRecord, 'project_id' | 'device_id'>;

/** A state as readers see it: now, or as history knows it. */
export interface StoredState extends DeviceName {
  version: number;
  current: string | null;
  desired: string | null;
  desired_version: number;
  updated_at: Date | null;
  first_seen_at: Date | null;
  /** Unknown of the past. */
  last_seen_at?: Date | null;
  duplicates?: number;
}

/** What becomes of writes, by the records of their devices, which are held until they are written. */
export type Decide<Write, T> = (
  writes: Write[],
  records: ReadonlyMap<string, DeviceRecord>,
) => { changes: Change[]; outcomes: Outcome<T>[] };

/** Where a change stands among all of a project: devices of one time by their ids, each in its own order. */
export type ChangePlace = [recorded_at: string, device_id: string, entry: string];

export interface FleetFilter {
  project_id: string;
  updated_since?: Date;
  at?: Date;
}

const RECORD_COLUMNS = [
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

const ENTRY_COLUMNS = [
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

const namesOf = (columns: readonly (readonly [string, string])[]): string =>
  columns.map(([name]) => `"${name}"`).join(', ');
/** Documents as their text. */
const readsOf = (columns: readonly (readonly [string, string])[]): string =>
  columns.map(([name, type]) => (type === 'json' ? `"${name}"::text` : `"${name}"`)).join(', ');
const arraysOf = (columns: readonly (readonly [string, string])[], after = 0): string =>
  columns.map(([, type], index) => `$${index + 1 + after}::${type}[]`).join(', ');

const READ = `
  SELECT project_id, device_id, ${readsOf(RECORD_COLUMNS)}
  FROM device_state.states
  JOIN unnest($1::uuid[], $2::text[]) AS wanted (project_id, device_id) USING (project_id, device_id)`;

const MAKE = `
  INSERT INTO device_state.states (project_id, device_id, ${namesOf(RECORD_COLUMNS)})
  SELECT * FROM unnest($1::uuid[], $2::text[], ${arraysOf(RECORD_COLUMNS, 2)})`;

/** A document that stays is neither sent nor written again, however large it is. */
const DOCUMENTS = ['current', 'desired'] as const;
const isDocument = (name: string): boolean => DOCUMENTS.includes(name as 'current');

const UPDATE = `
  UPDATE device_state.states SET ${RECORD_COLUMNS.map(([name]) =>
    isDocument(name)
      ? `${name} = CASE WHEN next.keeps_${name} THEN states.${name} ELSE next.${name} END`
      : `"${name}" = next."${name}"`,
  ).join(', ')}
  FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::boolean[], ${arraysOf(RECORD_COLUMNS, 4)})
    AS next (project_id, device_id, keeps_current, keeps_desired, ${namesOf(RECORD_COLUMNS)})
  WHERE states.project_id = next.project_id AND states.device_id = next.device_id`;

const INSERT = `
  INSERT INTO device_state.history (${namesOf(ENTRY_COLUMNS)}) SELECT * FROM unnest(${arraysOf(ENTRY_COLUMNS)})`;

const CHANGE = `id, device_id, recorded_at, entry, version, operation, result, patch::text, "timestamp", clock, key_id`;

const STATE = `states.project_id, states.device_id, states.version, states.current::text, states.desired::text,
  states.desired_version, states.updated_at, states.first_seen_at, states.last_seen_at, states.duplicates`;

/** A state that has not changed since is what it was; any other is as its last entry until then left it. */
const STATE_THEN = (at: string): string => `
  CASE WHEN states.updated_at <= ${at} THEN states.version ELSE past.version END AS version,
  CASE WHEN states.updated_at <= ${at} THEN states.current ELSE past.data END::text AS current,
  CASE WHEN states.updated_at <= ${at} THEN states.updated_at ELSE past.updated_at END AS updated_at,
  states.project_id, states.device_id, states.first_seen_at, NULL AS desired, 0 AS desired_version`;

const PAST = (at: string): string => `
  LEFT JOIN LATERAL (
    SELECT version, data, updated_at FROM device_state.history
    WHERE history.project_id = states.project_id AND history.device_id = states.device_id
      AND history.recorded_at <= ${at} AND states.updated_at > ${at}
    ORDER BY history.recorded_at DESC, history.entry DESC LIMIT 1
  ) AS past ON true`;

const GET = `
  SELECT ${STATE} FROM device_state.states
  JOIN unnest($1::uuid[], $2::text[]) AS wanted (project_id, device_id) USING (project_id, device_id)`;

const GET_THEN = `
  SELECT ${STATE_THEN('wanted.at')}, wanted.place::int FROM
    unnest($1::uuid[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS wanted (project_id, device_id, at, place)
  JOIN device_state.states ON states.project_id = wanted.project_id AND states.device_id = wanted.device_id
  ${PAST('wanted.at')}`;

/** Rows fetched at a time: bounds what one query holds in memory, whatever the size of the documents. */
export const CHUNK = 250;

const NAME = ['project_id', 'device_id'] as const;

type Row = Record<string, unknown>;
type ChangeRow = Omit<StateChange, 'version'> & { version: string; entry: string };

@Injectable()
export class DeviceStateRepository {
  constructor(private readonly database: Database) {}

  /** What `decide` makes of writes to devices, in one transaction, in as many statements as there are tables. */
  change<Write extends Named & { device: DeviceName }, T>(
    writes: Write[],
    decide: Decide<Write, T>,
  ): Promise<Outcome<T>[]> {
    return writeOnce(this.database, SCHEMA, writes, (fresh, manager) =>
      this.changeOnce(manager, fresh, decide),
    );
  }

  /** One for each name; undefined where there is no row. */
  async find(names: DeviceName[]): Promise<(StoredState | undefined)[]> {
    const rows = await this.database.prepared<Row>('get-states', GET, columnsOf(names, NAME));
    const byName = new Map(rows.map((row) => [nameOf(row as unknown as DeviceName), stored(row)]));
    return names.map((name) => byName.get(nameOf(name)));
  }

  /** As `find`, each at its time. */
  async findThen(names: (DeviceName & { at: Date })[]): Promise<(StoredState | undefined)[]> {
    const values = [...columnsOf(names, NAME), names.map(({ at }) => at)];
    const rows = await this.database.prepared<Row>('get-states-then', GET_THEN, values);
    const byPlace = new Map(rows.map((row) => [row.place, stored(row)]));
    return names.map((_, index) => byPlace.get(index + 1));
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

  /** A device's entries by (recorded_at, entry) from `after` on, fetched as many at a time as are `expected`. */
  async *history(
    { project_id, device_id }: DeviceName,
    { from, to, order }: { from?: Date; to?: Date; order: 'asc' | 'desc' },
    expected: number,
    after?: Position,
  ): AsyncGenerator<RecordedEntry> {
    const size = Math.min(expected, CHUNK);
    for (;;) {
      const { where, values, name } = whereAll([
        ['project_id = ?', project_id],
        ['device_id = ?', device_id],
        ['recorded_at >= ?', from],
        ['recorded_at < ?', to],
        beyond(['recorded_at', 'entry'], order, after),
      ]);
      const sql = `SELECT ${readsOf(ENTRY_COLUMNS)} FROM device_state.history
        WHERE ${where} ORDER BY recorded_at ${order}, entry ${order} LIMIT $${values.length + 1}`;
      const rows = await this.database.prepared<Row>(`history-${name}-${order}`, sql, [...values, size]);
      const entries = rows.map(entryOf);
      yield* entries;
      const last = entries.at(-1);
      if (!last || entries.length < size) return;
      after = [last.recorded_at.toISOString(), String(last.entry)];
    }
  }

  /** What timelines show, of a device or of all of a project, by (recorded_at, device_id, entry) from `after` on. */
  async *changes(
    { project_id, device_id }: { project_id: string; device_id?: string },
    { from, to, order }: { from?: Date; to?: Date; order: 'asc' | 'desc' },
    expected: number,
    after?: ChangePlace,
  ): AsyncGenerator<StateChange & { entry: number }> {
    const sort = ['recorded_at', 'device_id', 'entry'];
    const size = Math.min(expected, CHUNK);
    for (;;) {
      const { where, values, name } = whereAll([
        ['project_id = ?', project_id],
        ['device_id = ?', device_id],
        ['recorded_at >= ?', from],
        ['recorded_at < ?', to],
        beyond(sort, order, after),
      ]);
      const rows = await this.database.prepared<ChangeRow>(
        `changes-${name}-${order}`,
        `SELECT ${CHANGE} FROM device_state.history WHERE ${where}
         ORDER BY ${sort.map((column) => `${column} ${order}`).join(', ')} LIMIT $${values.length + 1}`,
        [...values, size],
      );
      for (const row of rows) yield { ...row, entry: Number(row.entry), version: Number(row.version) };
      const last = rows.at(-1);
      if (!last || rows.length < size) return;
      after = [last.recorded_at.toISOString(), last.device_id, last.entry];
    }
  }

  /**
   * States of a project, deleted ones among them, from `after` on: by (first_seen_at, device_id), which nothing
   * moves, or with `updated_since` by (updated_at, device_id). With `at` as they were then, by their first sight.
   */
  async *fleet(
    { project_id, updated_since, at }: FleetFilter,
    order: 'asc' | 'desc',
    expected: number,
    after?: Position,
  ): AsyncGenerator<StoredState> {
    const sortKey = fleetSortKey({ updated_since, at });
    const sort = [`states.${sortKey}`, 'states.device_id'] as const;
    let size = Math.min(expected, CHUNK);
    for (;;) {
      const { where, values, name } = whereAll([
        ['states.project_id = ?', project_id],
        ['states.first_seen_at <= ?', at],
        ['states.updated_at >= ?', at ? undefined : updated_since],
        ['states.first_seen_at IS NOT NULL', at ? undefined : null],
        beyond(sort, order, after),
      ]);
      // The second of the values, when it is there, is `at`.
      const [columns, join] = at ? [STATE_THEN('$2'), PAST('$2')] : [STATE, ''];
      const rows = await this.database.prepared<Row>(
        `fleet-${sortKey}-${name}-${order}`,
        `SELECT ${columns} FROM device_state.states ${join}
         WHERE ${where} ORDER BY ${sort[0]} ${order}, ${sort[1]} ${order} LIMIT $${values.length + 1}`,
        [...values, size],
      );
      const states = rows.map(stored);
      yield* states;
      const last = states.at(-1);
      if (!last || states.length < size) return;
      after = [last[sortKey]!.toISOString(), last.device_id];
      // Whoever wants more has left out some: small pages behind many deleted states ask a few times, not thousands.
      size = Math.min(2 * size, CHUNK);
    }
  }

  private async changeOnce<Write extends Named & { device: DeviceName }, T>(
    manager: EntityManager,
    writes: Write[],
    decide: Decide<Write, T>,
  ): Promise<Outcome<T>[]> {
    const names = [...new Map(writes.map(({ device }) => [nameOf(device), device])).values()];
    await takeTurns(
      manager,
      names.map((name) => `device_state ${nameOf(name)}`),
    );
    const known = await this.read(manager, names);
    const records = new Map(
      names.map((name) => [nameOf(name), known.get(nameOf(name)) ?? newRecordOf(name)]),
    );
    const { changes, outcomes } = decide(writes, records);
    // Of several changes of a device the last holds the others.
    const next = [...new Map(changes.map(({ record }) => [nameOf(record), record])).values()];
    const isKnown = (record: DeviceRecord): boolean => known.has(nameOf(record));
    await make(
      manager,
      next.filter((record) => !isKnown(record)),
    );
    await update(manager, next.filter(isKnown), known);
    const entries = changes.flatMap(({ entry }) => entry ?? []);
    if (entries.length > 0) {
      await manager.query(
        INSERT,
        ENTRY_COLUMNS.map(([name]) => entries.map((entry) => valueOf(entry[name]))),
      );
    }
    return outcomes;
  }

  private async read(manager: EntityManager, names: DeviceName[]): Promise<Map<string, DeviceRecord>> {
    const rows = await manager.query<Row[]>(READ, columnsOf(names, NAME));
    return new Map(rows.map(recordOf).map((record) => [nameOf(record), record]));
  }
}

async function make(manager: EntityManager, records: DeviceRecord[]): Promise<void> {
  if (records.length === 0) return;
  await manager.query(MAKE, [
    ...columnsOf(records, NAME),
    ...RECORD_COLUMNS.map(([name]) => records.map((record) => valueOf(record[name]))),
  ]);
}

async function update(
  manager: EntityManager,
  records: DeviceRecord[],
  before: Map<string, DeviceRecord>,
): Promise<void> {
  if (records.length === 0) return;
  const keeps = (record: DeviceRecord, name: keyof DeviceRecord): boolean =>
    isDocument(name) && record[name] === before.get(nameOf(record))![name];
  await manager.query(UPDATE, [
    ...columnsOf(records, NAME),
    ...DOCUMENTS.map((name) => records.map((record) => keeps(record, name))),
    ...RECORD_COLUMNS.map(([name]) =>
      records.map((record) => (keeps(record, name) ? null : valueOf(record[name]))),
    ),
  ]);
}

/** Equal for the same device of the same project. */
export function nameOf({ project_id, device_id }: DeviceName): string {
  return `${project_id} ${device_id}`;
}

/** By what a list of states is sorted. */
export function fleetSortKey({
  updated_since,
  at,
}: Pick<FleetFilter, 'updated_since' | 'at'>): 'updated_at' | 'first_seen_at' {
  return updated_since && !at ? 'updated_at' : 'first_seen_at';
}

function valueOf(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return Array.isArray(value) ? JSON.stringify(value) : value;
}

const numberOf = (value: unknown): number | null => (value === null ? null : Number(value));

function recordOf(row: Row): DeviceRecord {
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

function stored(row: Row): StoredState {
  return {
    ...(row as unknown as StoredState),
    version: Number(row.version),
    desired_version: Number(row.desired_version),
    ...(row.duplicates !== undefined && { duplicates: Number(row.duplicates) }),
  };
}

function entryOf(row: Row): RecordedEntry {
  return {
    ...(row as unknown as RecordedEntry),
    entry: Number(row.entry),
    version: Number(row.version),
    sequence: numberOf(row.sequence),
  };
}
