import { Injectable } from '@nestjs/common';
import { type FirmwareEvent, type VersionAdoption } from '#contracts';
import { beyond, Database, whereAll, type Position } from '#database';
import { type SpanRange } from './adoption-spans.js';
import { COLUMNS } from './event-columns.js';

export interface Conditions {
  project_id: string;
  device_id?: string;
  status?: string;
  from?: Date;
  to?: Date;
}

@Injectable()
export class FirmwareRepository {
  constructor(private readonly database: Database) {}

  /** Undefined for a device that has reported nothing in this project, null for one that has installed nothing. */
  async current(project_id: string, device_id: string): Promise<string | null | undefined> {
    const [device] = await this.database.prepared<{ current_firmware: string | null }>(
      'current-firmware',
      'SELECT current_firmware FROM firmware.devices WHERE project_id = $1 AND device_id = $2',
      [project_id, device_id],
    );
    return device?.current_firmware;
  }

  /** At most `limit` events, of a device or of all of a project, by (timestamp, id) from `after` on. */
  page(
    conditions: Conditions,
    order: 'asc' | 'desc',
    limit: number,
    after?: Position,
  ): Promise<FirmwareEvent[]> {
    const { project_id, device_id, status, from, to } = conditions;
    const { where, values, name } = whereAll([
      ['project_id = ?', project_id],
      ['device_id = ?', device_id],
      ['status = ?', status],
      ['timestamp >= ?', from],
      ['timestamp < ?', to],
      // The bound of the time alone lets Postgres leave out the partitions of other months.
      [`timestamp ${order === 'asc' ? '>=' : '<='} ?`, after?.[0]],
      beyond(['timestamp', 'id'], order, after),
    ]);
    const sql = `SELECT ${COLUMNS.join(', ')} FROM firmware.firmware_events
      WHERE ${where} ORDER BY timestamp ${order}, id ${order} LIMIT $${values.push(limit)}`;
    return this.database.prepared(`firmware-events-${name}-${order}`, sql, values);
  }

  /** How many devices run which version when these spans are over; most first. */
  async adoption(project_id: string, ranges: SpanRange[]): Promise<VersionAdoption[]> {
    const values: unknown[] = [project_id];
    const parts = ranges.map(({ span_s, from_ms, to_ms }) => {
      const at = values.push(span_s, from_ms, to_ms);
      return `SELECT firmware, change FROM firmware.adoption_changes
              WHERE project_id = $1 AND span_s = $${at - 2} AND start_ms >= $${at - 1} AND start_ms < $${at}`;
    });
    return this.database.rows<VersionAdoption>(
      `SELECT firmware, sum(change)::int AS devices FROM (${parts.join(' UNION ALL ')}) AS changes
       GROUP BY firmware HAVING sum(change) <> 0 ORDER BY devices DESC, firmware COLLATE "C"`,
      values,
    );
  }
}
