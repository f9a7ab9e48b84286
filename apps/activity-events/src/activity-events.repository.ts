import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { Failure, type Outcome, type RecordedEvent, type Reply } from '#contracts';
import {
  beyond,
  columnsOf,
  Database,
  prepared,
  takeNew,
  walk,
  whereAll,
  writeOnce,
  type Condition,
  type FirstRows,
  type Named,
  type Position,
} from '#database';
import { SCHEMA } from './activity-events.entity.js';
import { COLUMNS, READ_COLUMNS, type StoredEvent } from './stored-event.js';

/** By which the inbox knows what of the audit is recorded. */
const AUDIT = 'audit';

export interface EventWrite extends Named {
  project_id: string;
  event: StoredEvent;
  hasOwnId: boolean;
  reply: Reply<RecordedEvent>;
}

export interface Conditions {
  project_id: string;
  /** A right rather than a filter: nothing of other devices. */
  only_device_id?: string;
  component?: string;
  environment?: string;
  email?: string;
  device_id?: string;
  /** Part of the message, in any case; no character of it is a wildcard. */
  message?: string;
  from?: Date;
  to?: Date;
}

const INSERT = `
  INSERT INTO activity_events.events (project_id, ${COLUMNS.join(', ')})
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::json[], $8::text[],
                       $9::timestamptz[], $10::timestamptz[])`;

const EVENTS = 'activity_events.events';
/** The same rows, by a way that lets Postgres use the index on messages: decision 60. */
const SEARCHED_EVENTS = 'activity_events.events_in_scope';

const SELECT = `SELECT ${READ_COLUMNS.join(', ')}`;

@Injectable()
export class ActivityEventsRepository {
  constructor(private readonly database: Database) {}

  /** All of them or none; outcomes in the order of the writes. Without keys and own ids it is one statement. */
  async record(writes: EventWrite[]): Promise<Outcome<RecordedEvent>[]> {
    if (writes.some(({ names }) => names.length > 0)) {
      return writeOnce(this.database, SCHEMA, writes, (fresh, manager) => insertFree(fresh, manager));
    }
    await this.database.write('record-events', INSERT, valuesOf(writes));
    return writes.map(({ reply }) => reply);
  }

  /** What the audit tells, each once, however often it does. */
  async recordAudit(writes: Pick<EventWrite, 'project_id' | 'event'>[]): Promise<void> {
    await this.database.transaction(async (manager) => {
      const ids = writes.map(({ event }) => event.id);
      const fresh = await takeNew(manager, SCHEMA, AUDIT, ids);
      const told = writes.filter(({ event }) => fresh.has(event.id));
      if (told.length > 0) await prepared(manager, 'record-events', INSERT, valuesOf(told));
    });
  }

  async find(project_id: string, id: string): Promise<StoredEvent | undefined> {
    const sql = `${SELECT} FROM ${EVENTS} WHERE project_id = $1 AND id = $2`;
    const [event] = await this.database.prepared<StoredEvent>('get-event', sql, [project_id, id]);
    return event;
  }

  /** By (occurred_at, id) from `after` on, read as many at a time as are `expected`. */
  walk(
    conditions: Conditions,
    order: 'asc' | 'desc',
    expected: number,
    after?: Position,
  ): AsyncGenerator<StoredEvent[]> {
    return walk<StoredEvent>(expected, (limit, last) =>
      this.page(conditions, order, limit, last ? [last.occurred_at, last.id] : after),
    );
  }

  /** Buckets in UTC, oldest first, empty ones left out. */
  count(
    conditions: Conditions,
    interval: string,
    group_by: 'component' | 'environment' | undefined,
    limit: number,
  ): Promise<{ start: string; key?: string; count: number }[]> {
    const { where, values } = whereAll(partsOf(conditions));
    const key = group_by ? `, ${group_by} AS key` : '';
    return this.database.rows(
      `SELECT date_trunc($${values.length + 1}, occurred_at, 'UTC') AS start${key}, count(*)::int AS count
       FROM ${tableFor(conditions)} WHERE ${where}
       GROUP BY 1${group_by ? ', 2' : ''} ORDER BY 1${group_by ? ', 2' : ''} LIMIT ${limit}`,
      [...values, interval],
    );
  }

  private page(
    conditions: Conditions,
    order: 'asc' | 'desc',
    limit: number,
    after?: Position,
  ): Promise<FirstRows<StoredEvent>> {
    const { where, values, name } = whereAll([
      ...partsOf(conditions),
      beyond(['occurred_at', 'id'], order, after),
    ]);
    const sql = `${SELECT} FROM ${tableFor(conditions)} WHERE ${where}
      ORDER BY occurred_at ${order}, id ${order} LIMIT $${values.push(limit)}`;
    // How rare a part of a message is decides its plan, and of two filters that have an index each, how rare what they
    // ask for is. And planned for any range at all, one with two ends would be taken for a few rows, all read and sorted.
    const { message, only_device_id, component, environment, email, device_id, from, to } = conditions;
    const filters = countGiven(only_device_id ?? device_id, component, environment, email);
    const isPlannedOnce = message === undefined && filters < 2 && countGiven(from, to, after) < 2;
    return this.database.firstRows(sql, values, isPlannedOnce ? `events-${name}-${order}` : undefined);
  }
}

/** All but those whose own id is another event's. */
async function insertFree(writes: EventWrite[], manager: EntityManager): Promise<Outcome<RecordedEvent>[]> {
  const own = writes.filter(({ hasOwnId }) => hasOwnId);
  const rows =
    own.length === 0
      ? []
      : await manager.query<{ project_id: string; id: string }[]>(
          `SELECT project_id, id FROM activity_events.events
           JOIN unnest($1::uuid[], $2::uuid[]) AS own (project_id, id) USING (project_id, id)`,
          [own.map(({ project_id }) => project_id), own.map(({ event }) => event.id)],
        );
  const taken = new Set(rows.map(({ project_id, id }) => `${project_id} ${id}`));
  const isTaken = ({ project_id, event }: EventWrite): boolean => taken.has(`${project_id} ${event.id}`);
  // In one order: frames with the same own ids wait for each other at the primary key.
  const free = writes.filter((write) => !isTaken(write)).sort(byId);
  if (free.length > 0) await prepared(manager, 'record-events', INSERT, valuesOf(free));
  return writes.map((write) =>
    isTaken(write) ? new Failure('conflict', 'Another event has this id') : write.reply,
  );
}

function byId({ event: one }: EventWrite, { event: other }: EventWrite): number {
  return one.id < other.id ? -1 : 1;
}

function valuesOf(writes: Pick<EventWrite, 'project_id' | 'event'>[]): unknown[] {
  const events = writes.map(({ event }) => event);
  return [writes.map(({ project_id }) => project_id), ...columnsOf(events, COLUMNS)];
}

function countGiven(...values: unknown[]): number {
  return values.filter((value) => value !== undefined).length;
}

function tableFor({ message }: Conditions): string {
  return message === undefined ? EVENTS : SEARCHED_EVENTS;
}

function partsOf(conditions: Conditions): Condition[] {
  const { project_id, only_device_id, component, environment, email, device_id, message, from, to } =
    conditions;
  return [
    ['project_id = ?', project_id],
    ['device_id = ?', only_device_id],
    ['component = ?', component],
    ['environment = ?', environment],
    ['email = ?', email],
    ['device_id = ?', device_id],
    ['message ILIKE ?', message && `%${message.replace(/[\\%_]/g, '\\$&')}%`],
    ['occurred_at >= ?', from],
    ['occurred_at < ?', to],
  ];
}
