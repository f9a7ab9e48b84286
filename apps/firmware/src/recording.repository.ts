import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { type FirmwareEvent, type Outcome } from '#contracts';
import { columnsOf, Database, takeTurns, writeOnce, type Named } from '#database';
import { type SpanChange } from './adoption-spans.js';
import { type Device } from './device-log.js';
import { SCHEMA, type DeviceRow } from './firmware.entity.js';
import { type Install, type Place } from './install-history.js';

/** A device, by the project in which it speaks. */
export interface DeviceName {
  project_id: string;
  device_id: string;
}

/** An event as a row: with the project that it belongs to. */
export type EventRow = DeviceName & FirmwareEvent;

@Injectable()
export class RecordingRepository {
  constructor(private readonly database: Database) {}

  /** All that `work` writes for the devices of these writes, or nothing of it. Nobody else records for them meanwhile. */
  together<Write extends Named & { report: DeviceName }, T>(
    writes: Write[],
    work: (fresh: Write[], recording: Recording) => Promise<Outcome<T>[]>,
  ): Promise<Outcome<T>[]> {
    return writeOnce(this.database, SCHEMA, writes, async (fresh, manager) => {
      await takeTurns(
        manager,
        fresh.map(({ report: { project_id, device_id } }) => `firmware ${project_id} ${device_id}`),
      );
      return work(fresh, new Recording(manager));
    });
  }
}

/**
 * The statements of one transaction, in the order in which they are to be called: events, devices, adoption.
 * Each takes its locks in the order of the table's key, so that frames never deadlock.
 */
export class Recording {
  constructor(private readonly manager: EntityManager) {}

  /**
   * What is kept of these devices, in any order; of a new one nothing. `now` is the database's time when the turn had
   * come: one clock for all replicas.
   */
  async read(names: DeviceName[]): Promise<{ devices: Device[]; now: string }> {
    const rows = await this.manager.query<(DeviceRow & { now: string })[]>(
      `SELECT project_id, device_id, newest_id, newest_firmware, newest_status, newest_timestamp, newest_created_at,
              current_id, current_firmware, current_since, clock_timestamp() AS now
       FROM unnest($1::uuid[], $2::text[]) AS asked (project_id, device_id)
       LEFT JOIN firmware.devices USING (project_id, device_id)`,
      columnsOf(names, ['project_id', 'device_id']),
    );
    return { devices: rows.map(deviceOf), now: rows[0]!.now };
  }

  /** Events that are the same as these: of one device, with one timestamp, version and status. */
  async findSame(events: Omit<EventRow, 'id' | 'created_at'>[]): Promise<EventRow[]> {
    if (events.length === 0) return [];
    return this.manager.query(
      `SELECT kept.* FROM firmware.firmware_events AS kept
       JOIN unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::text[], $5::text[])
         AS asked (project_id, device_id, timestamp, firmware, status)
       USING (project_id, device_id, timestamp, firmware, status)`,
      columnsOf(events, ['project_id', 'device_id', 'timestamp', 'firmware', 'status']),
    );
  }

  /** The installs of the same device that come right before and right after each of these places. */
  async findInstallsAround(places: (DeviceName & Place)[]): Promise<(DeviceName & Install)[]> {
    if (places.length === 0) return [];
    const nearest = (side: '<' | '>', order: 'ASC' | 'DESC'): string => `
      (SELECT timestamp, id, firmware FROM firmware.firmware_events AS kept
       WHERE kept.project_id = asked.project_id AND kept.device_id = asked.device_id
         AND kept.status IN ('installed', 'updated')
         AND kept.timestamp ${side}= asked.timestamp AND (kept.timestamp, kept.id) ${side} (asked.timestamp, asked.id)
       ORDER BY kept.timestamp ${order}, kept.id ${order} LIMIT 1)`;
    return this.manager.query(
      `SELECT asked.project_id, asked.device_id, install.*
       FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[])
         AS asked (project_id, device_id, timestamp, id)
       CROSS JOIN LATERAL (${nearest('<', 'DESC')} UNION ALL ${nearest('>', 'ASC')}) AS install`,
      columnsOf(places, ['project_id', 'device_id', 'timestamp', 'id']),
    );
  }

  async insert(events: EventRow[]): Promise<void> {
    if (events.length === 0) return;
    await this.manager.query(
      `INSERT INTO firmware.firmware_events (project_id, device_id, timestamp, id, firmware, status, created_at)
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::uuid[], $5::text[], $6::text[],
                            $7::timestamptz[])`,
      columnsOf(events, ['project_id', 'device_id', 'timestamp', 'id', 'firmware', 'status', 'created_at']),
    );
  }

  /** Of devices whose turn this transaction has. */
  async save(devices: Device[]): Promise<void> {
    if (devices.length === 0) return;
    const rows = devices.map(({ project_id, device_id, newest, current }) => ({
      project_id,
      device_id,
      newest_id: newest?.id,
      newest_firmware: newest?.firmware,
      newest_status: newest?.status,
      newest_timestamp: newest?.timestamp,
      newest_created_at: newest?.created_at,
      current_id: current?.id,
      current_firmware: current?.firmware,
      current_since: current?.timestamp,
    }));
    const names = Object.keys(rows[0]!) as (keyof (typeof rows)[number])[];
    const [, , ...changing] = names;
    await this.manager.query(
      `INSERT INTO firmware.devices (${names.join(', ')})
       SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[],
                            $7::timestamptz[], $8::uuid[], $9::text[], $10::timestamptz[])
       ON CONFLICT (project_id, device_id) DO UPDATE SET
         ${changing.map((name) => `${name} = EXCLUDED.${name}`).join(', ')}`,
      columnsOf(rows, names),
    );
  }

  /** Comes last: frames of one project change the same few rows, and hold them only until they commit. */
  async addToAdoption(changes: SpanChange[]): Promise<void> {
    if (changes.length === 0) return;
    const nothing = await this.manager.query<SpanChange[]>(
      `WITH changed AS (
         INSERT INTO firmware.adoption_changes AS kept (project_id, span_s, start_ms, firmware, change)
         SELECT * FROM unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[], $5::int[])
         ORDER BY 1, 2, 3, 4
         ON CONFLICT (project_id, span_s, start_ms, firmware) DO UPDATE SET change = kept.change + EXCLUDED.change
         RETURNING *
       ) SELECT project_id, span_s, start_ms, firmware FROM changed WHERE change = 0`,
      columnsOf(changes, ['project_id', 'span_s', 'start_ms', 'firmware', 'change']),
    );
    if (nothing.length === 0) return;
    await this.manager.query(
      `DELETE FROM firmware.adoption_changes
       USING unnest($1::uuid[], $2::int[], $3::bigint[], $4::text[]) AS nothing (project_id, span_s, start_ms, firmware)
       WHERE (adoption_changes.project_id, adoption_changes.span_s, adoption_changes.start_ms,
              adoption_changes.firmware) = (nothing.project_id, nothing.span_s, nothing.start_ms, nothing.firmware)`,
      columnsOf(nothing, ['project_id', 'span_s', 'start_ms', 'firmware']),
    );
  }
}

function deviceOf(row: DeviceRow): Device {
  const { project_id, device_id } = row;
  return {
    project_id,
    device_id,
    newest:
      row.newest_id === null
        ? null
        : {
            id: row.newest_id,
            device_id,
            firmware: row.newest_firmware!,
            status: row.newest_status!,
            timestamp: row.newest_timestamp!,
            created_at: row.newest_created_at!,
          },
    current:
      row.current_id === null
        ? null
        : {
            id: row.current_id,
            firmware: row.current_firmware!,
            timestamp: row.current_since!,
          },
  };
}
