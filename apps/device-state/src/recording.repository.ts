import { Injectable } from '@nestjs/common';
import { type Outcome } from '#contracts';
import { columnsOf, Database, takeTurns, writeOnce, type Named } from '#database';
import { type EntityManager } from 'typeorm';
import { SCHEMA } from './device-state.entity.js';
import { nameOf, newRecordOf, type Change, type DeviceName, type DeviceRecord } from './device-record.js';
import {
  arraysOf,
  ENTRY_COLUMNS,
  NAME,
  namesOf,
  readsOf,
  RECORD_COLUMNS,
  recordOf,
  valueOf,
  type Row,
} from './stored-record.js';

/** What becomes of writes, by the records of their devices, which are held until they are written. */
export type Decide<Write, T> = (
  writes: Write[],
  records: ReadonlyMap<string, DeviceRecord>,
) => { changes: Change[]; outcomes: Outcome<T>[] };

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

@Injectable()
export class RecordingRepository {
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
