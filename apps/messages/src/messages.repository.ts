import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { Failure, Reply, type Outcome, type SentMessage } from '#contracts';
import { columnsOf, Database, prepared, walk, writeOnce, type Named, type Position } from '#database';
import { messageJson } from './message-json.js';
import { SCHEMA } from './messages.entity.js';
import { type Side } from './sides.js';
import { COLUMNS, type StoredMessage } from './stored-message.js';

export interface MessageWrite extends Named {
  project_id: string;
  message: StoredMessage;
  hasOwnId: boolean;
  /** Why it may not be sent; it may still be the repeat of one that was. */
  refusal?: Failure;
}

export interface MessageWalk {
  project_id: string;
  /** The message must be on one of these. */
  sides: Side[];
  since?: Date;
  /** Strictly, as is `newer_than`. */
  older_than?: Position;
  newer_than?: Position;
  order: 'asc' | 'desc';
  expected: number;
}

/**
 * Messages and both sides of their conversations in one statement. The rows of conversations are locked in one
 * order, and then messages inserted in one, so that frames never deadlock. A message comes after every older one of its conversation, whatever the
 * clocks of replicas say: what commits late never slips behind a read horizon.
 */
const SEND = `
  WITH sent AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::timestamptz[]) AS sent (project_id, ${COLUMNS.join(', ')})
  ), side AS (
    SELECT project_id, sender_mailbox AS owner, recipient_mailbox AS peer, recipient AS peer_address, id, created_at
    FROM sent
    UNION ALL
    SELECT project_id, recipient_mailbox, sender_mailbox, sender, id, created_at
    FROM sent WHERE recipient_mailbox <> sender_mailbox
  ), last AS (
    SELECT DISTINCT ON (project_id, owner, peer) * FROM side
    ORDER BY project_id, owner, peer, created_at DESC, id DESC
  ), moved AS (
    INSERT INTO messages.conversations AS kept (project_id, owner, peer, peer_address, newest_at, last_at, last_id)
    SELECT project_id, owner, peer, peer_address, created_at, created_at, id FROM last
    ORDER BY project_id, owner, peer
    ON CONFLICT (project_id, owner, peer) DO UPDATE SET
      peer_address = EXCLUDED.peer_address,
      newest_at = greatest(EXCLUDED.newest_at, kept.newest_at + interval '1 millisecond'),
      last_at = greatest(EXCLUDED.newest_at, kept.newest_at + interval '1 millisecond'),
      last_id = EXCLUDED.last_id
    RETURNING project_id, owner, peer, newest_at
  )
  INSERT INTO messages.messages (project_id, ${COLUMNS.join(', ')})
  SELECT project_id, id, sender, recipient, sender_mailbox, recipient_mailbox, message, device_id, newest_at
  FROM sent JOIN moved USING (project_id) WHERE owner = sender_mailbox AND peer = recipient_mailbox
  ORDER BY project_id, id
  RETURNING project_id, id, created_at`;

const SELECT = `SELECT ${COLUMNS.join(', ')} FROM messages.messages`;

@Injectable()
export class MessagesRepository {
  constructor(private readonly database: Database) {}

  /** All of them or none; outcomes in the order of the writes. Without keys and own ids it is one statement. */
  async send(writes: MessageWrite[]): Promise<Outcome<SentMessage>[]> {
    if (writes.some(({ names }) => names.length > 0)) {
      return writeOnce(this.database, SCHEMA, writes, async (fresh, manager) =>
        insert(
          fresh,
          (values) => prepared(manager, 'send-messages', SEND, values),
          await takenIds(fresh, manager),
        ),
      );
    }
    return insert(writes, (values) => this.database.write('send-messages', SEND, values));
  }

  async find(project_id: string, id: string): Promise<StoredMessage | undefined> {
    const sql = `${SELECT} WHERE project_id = $1 AND id = $2`;
    const [message] = await this.database.prepared<StoredMessage>('get-message', sql, [project_id, id]);
    return message;
  }

  /** By (created_at, id), read as many at a time as are `expected`. */
  walk({ sides, order, expected, ...range }: MessageWalk): AsyncGenerator<StoredMessage[]> {
    return walk<StoredMessage>(expected, async (limit, last) => {
      if (sides.length === 0) return { rows: [], isCut: false };
      const place: Position | undefined = last && [last.created_at, last.id];
      const behind = place && (order === 'asc' ? { newer_than: place } : { older_than: place });
      const { sql, values } = walkStatement({ ...range, ...behind, sides, order }, limit);
      return this.database.firstRows(sql, values, sides.some(isTwofold) ? undefined : nameOfShape(sql));
    });
  }

  /** Also takes it from its conversation, whose last message becomes the one before. @returns whether it was there */
  delete(
    project_id: string,
    { id, created_at, sender_mailbox, recipient_mailbox }: StoredMessage,
  ): Promise<boolean> {
    const sides = `project_id = $1 AND (owner, peer) IN (($2, $3), ($3, $2))`;
    const pair = [project_id, sender_mailbox, recipient_mailbox];
    return this.database.transaction(async (manager) => {
      await manager.query(
        `SELECT FROM messages.conversations WHERE ${sides} ORDER BY owner, peer FOR UPDATE`,
        pair,
      );
      const [, deleted] = await manager.query<[unknown, number]>(
        'DELETE FROM messages.messages WHERE project_id = $1 AND id = $2 AND created_at = $3',
        [project_id, id, created_at],
      );
      await manager.query(
        `UPDATE messages.conversations SET (last_at, last_id) = (
           SELECT created_at, id FROM (${lastOf('$2', '$3')} UNION ALL ${lastOf('$3', '$2')}) AS last
           ORDER BY created_at DESC, id DESC LIMIT 1
         ) WHERE ${sides}`,
        pair,
      );
      return deleted > 0;
    });
  }
}

interface SentRow {
  project_id: string;
  id: string;
  created_at: string;
}

function lastOf(sender: string, recipient: string): string {
  return `(
    SELECT created_at, id FROM messages.messages
    WHERE project_id = $1 AND sender_mailbox = ${sender} AND recipient_mailbox = ${recipient}
    ORDER BY created_at DESC, id DESC LIMIT 1)`;
}

/** Those that may be sent, at the times that their conversations give them. */
async function insert(
  writes: MessageWrite[],
  query: (values: unknown[]) => Promise<SentRow[]>,
  taken?: Set<string>,
): Promise<Outcome<SentMessage>[]> {
  const refusalOf = (write: MessageWrite): Failure | undefined =>
    write.refusal ?? (taken?.has(idOf(write)) ? ID_TAKEN : undefined);
  const sendable = writes.filter((write) => !refusalOf(write));
  const rows = sendable.length > 0 ? await query(valuesOf(sendable)) : [];
  const times = new Map(rows.map((row) => [nameOf(row), row.created_at]));
  return writes.map(
    (write) =>
      refusalOf(write) ?? Reply.json(messageJson({ ...write.message, created_at: times.get(idOf(write))! })),
  );
}

const ID_TAKEN = new Failure('conflict', 'Another message has this id');

/** The own ids that are messages already. */
async function takenIds(writes: MessageWrite[], manager: EntityManager): Promise<Set<string>> {
  const own = writes.filter(({ hasOwnId }) => hasOwnId);
  if (own.length === 0) return new Set();
  const rows = await manager.query<Omit<SentRow, 'created_at'>[]>(
    `SELECT project_id, id FROM unnest($1::uuid[], $2::uuid[]) AS wanted (project_id, id)
     WHERE EXISTS (SELECT FROM messages.messages AS kept
                   WHERE kept.project_id = wanted.project_id AND kept.id = wanted.id)`,
    [own.map(({ project_id }) => project_id), own.map(({ message }) => message.id)],
  );
  return new Set(rows.map(nameOf));
}

function valuesOf(writes: MessageWrite[]): unknown[] {
  const messages = writes.map(({ message }) => message);
  return [writes.map(({ project_id }) => project_id), ...columnsOf(messages, COLUMNS)];
}

function nameOf({ project_id, id }: Pick<SentRow, 'project_id' | 'id'>): string {
  return `${project_id} ${id}`;
}

function idOf({ project_id, message: { id } }: MessageWrite): string {
  return nameOf({ project_id, id });
}

/**
 * Each side is a walk of an index of its own that stops at the limit. Together they are sorted once more, and what
 * is on several sides is taken once: excluded from all but one, it would be read over and over to find the others.
 */
function walkStatement(
  { project_id, sides, since, older_than, newer_than, order }: Omit<MessageWalk, 'expected'>,
  limit: number,
): {
  sql: string;
  values: unknown[];
} {
  const values: unknown[] = [project_id, limit];
  const place = (value: unknown): string => `$${values.push(value)}`;
  const inTime = [
    since && `created_at >= ${place(since)}`,
    older_than && `(created_at, id) < (${older_than.map(place).join(', ')})`,
    newer_than && `(created_at, id) > (${newer_than.map(place).join(', ')})`,
  ];
  const walks = sides.map(({ recipient, sender, about }) => {
    const conditions = [
      'project_id = $1',
      recipient !== undefined && `recipient_mailbox = ${place(recipient)}`,
      sender !== undefined && `sender_mailbox = ${place(sender)}`,
      about !== undefined && `device_id = ${place(about)}`,
      ...inTime,
    ];
    return `${SELECT} WHERE ${conditions.filter(Boolean).join(' AND ')}
      ORDER BY created_at ${order}, id ${order} LIMIT $2`;
  });
  const [only] = walks;
  const all = `SELECT DISTINCT ON (created_at, id) * FROM (${walks.map((walk) => `(${walk})`).join(' UNION ALL ')}) AS walked
    ORDER BY created_at ${order}, id ${order} LIMIT $2`;
  return { sql: walks.length === 1 ? only! : all, values };
}

/** By which index to walk depends on how much is about this device, and how much is this mailbox's: to be planned for these. */
function isTwofold({ about, recipient, sender }: Side): boolean {
  return about !== undefined && (recipient ?? sender) !== undefined;
}

/** There are only as many statements as kinds of questions; each has a name of its own. */
const shapes = new Map<string, string>();

function nameOfShape(sql: string): string {
  let name = shapes.get(sql);
  if (name === undefined) shapes.set(sql, (name = `walk-messages-${shapes.size}`));
  return name;
}
