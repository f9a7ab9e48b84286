import { Injectable } from '@nestjs/common';
import { type NewEvent, parseTimestamp, type RecordedEvent } from '#contracts';
import { Database } from '#database';
import { v7 as uuidv7 } from 'uuid';

const INSERT = `INSERT INTO activity_events.events
  (project_id, id, component, environment, email, message, data, device_id, occurred_at, created_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`;

/** How a baseline records an event: one prepared INSERT, one commit. */
@Injectable()
export class EventInsert {
  constructor(private readonly database: Database) {}

  async record(project_id: string, event: NewEvent): Promise<RecordedEvent> {
    const { component, environment, email, message, data, device_id = null, occurred_at } = event;
    const created_at = new Date().toISOString();
    const row = {
      id: event.id ?? uuidv7(),
      component,
      environment,
      email,
      message,
      device_id,
      occurred_at: occurred_at ? parseTimestamp(occurred_at)!.toISOString() : created_at,
      created_at,
      data,
    };
    await this.database.prepared('record-event', INSERT, [
      ...[project_id, row.id, component, environment, email, message, JSON.stringify(data), device_id],
      ...[row.occurred_at, created_at],
    ]);
    return row;
  }
}
