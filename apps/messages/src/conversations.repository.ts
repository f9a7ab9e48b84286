import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { Failure, NIL_UUID, Reply, type Conversation, type Outcome } from '#contracts';
import { Database, walk, writeOnce, type FirstRows, type Position, type WriteName } from '#database';
import { conversationJson, type StoredConversation } from './message-json.js';
import { SCHEMA } from './messages.entity.js';
import { COLUMNS } from './stored-message.js';

/** One side of a conversation. */
export interface ConversationSide {
  project_id: string;
  owner: string;
  peer: string;
}

// Not coalesce(), which Postgres takes to leak what it is given: behind the wall around projects (decision 60) no index
// would be asked for it, and each conversation counted from its beginning.
const HORIZON_AT = `CASE WHEN kept.read_at IS NULL THEN '-infinity' ELSE kept.read_at END`;
const HORIZON_ID = `CASE WHEN kept.read_id IS NULL THEN '${NIL_UUID}' ELSE kept.read_id END`;

/** Of the conversations `kept`: each with its last message, and a count of what is behind the horizon. */
const viewsOf = (kept: string): string => `
  SELECT kept.peer_address, last.*, behind.unread
  FROM (${kept}) AS kept
  CROSS JOIN LATERAL (
    SELECT ${COLUMNS.join(', ')} FROM messages.messages AS message
    WHERE message.project_id = $1 AND message.id = kept.last_id AND message.created_at = kept.last_at LIMIT 1
  ) AS last
  CROSS JOIN LATERAL (
    SELECT count(*)::int AS unread FROM messages.messages AS message
    WHERE message.project_id = $1 AND message.recipient_mailbox = $2 AND message.sender_mailbox = kept.peer
      AND message.created_at >= ${HORIZON_AT} AND (message.created_at, message.id) > (${HORIZON_AT}, ${HORIZON_ID})
  ) AS behind`;

const OWN = 'SELECT * FROM messages.conversations WHERE project_id = $1 AND owner = $2';

@Injectable()
export class ConversationsRepository {
  constructor(private readonly database: Database) {}

  /** By (last_at, last_id) from `after` on, read as many at once as are `expected`; those without any message left out. */
  walk(
    project_id: string,
    owner: string,
    order: 'asc' | 'desc',
    expected: number,
    after?: Position,
  ): AsyncGenerator<StoredConversation[]> {
    const read = (limit: number, last?: StoredConversation): Promise<FirstRows<StoredConversation>> => {
      const from = last ? [last.created_at, last.id] : after;
      const position = from ? `AND (last_at, last_id) ${order === 'asc' ? '>' : '<'} ($4, $5)` : '';
      const kept = `${OWN} AND last_at IS NOT NULL ${position}
        ORDER BY last_at ${order}, last_id ${order} LIMIT $3`;
      return this.database.firstRows(
        `${viewsOf(kept)} ORDER BY last.created_at ${order}, last.id ${order}`,
        [project_id, owner, limit, ...(from ?? [])],
        `conversations-${order}${from ? '-after' : ''}`,
      );
    };
    // Each message moves its conversation to the front: a page is of one moment.
    return walk(expected, read, expected);
  }

  /** The mailbox that an owner knows by an address which nobody has any more; addresses match as in decision 20. */
  async formerMailbox(project_id: string, owner: string, address: string): Promise<string | undefined> {
    const [row] = await this.database.rows<{ peer: string }>(
      `SELECT peer FROM messages.conversations
       WHERE project_id = $1 AND owner = $2
         AND (peer_address = $3 OR (starts_with(peer, 'member ') AND lower(peer_address) = lower($3)))
       ORDER BY starts_with(peer, 'member ') DESC, newest_at DESC LIMIT 1`,
      [project_id, owner, address],
    );
    return row?.peer;
  }

  /** Where a message of the conversation stands; undefined when it is none of it. */
  positionOf(side: ConversationSide, id: string): Promise<Position | undefined> {
    return this.database.read((manager) => positionOf(manager, side, id));
  }

  /** Moves the horizon to a message, or to the last one of a time, unless it is there or further already. */
  async mark(
    side: ConversationSide,
    up_to: { id: string } | { time: Date },
    names: WriteName[],
  ): Promise<Outcome<Conversation>> {
    const [outcome] = await writeOnce(this.database, SCHEMA, [{ names }], async (_, manager) => {
      const position =
        'id' in up_to
          ? await positionOf(manager, side, up_to.id)
          : await positionAt(manager, side, up_to.time);
      if (position) await move(manager, side, position);
      const view = position || 'time' in up_to ? await viewOf(manager, side) : undefined;
      return [view ? Reply.json<Conversation>(view) : new Failure('not_found')];
    });
    return outcome!;
  }
}

async function positionOf(
  manager: EntityManager,
  { project_id, owner, peer }: ConversationSide,
  id: string,
): Promise<Position | undefined> {
  const [row] = await manager.query<{ created_at: string; id: string }[]>(
    `SELECT created_at, id FROM messages.messages WHERE project_id = $1 AND id = $2
       AND (sender_mailbox, recipient_mailbox) IN (($3, $4), ($4, $3))`,
    [project_id, id, owner, peer],
  );
  return row && [row.created_at, row.id];
}

/** The position of the last message at or before a time. */
async function positionAt(
  manager: EntityManager,
  { project_id, owner, peer }: ConversationSide,
  time: Date,
): Promise<Position | undefined> {
  const last = (sender: string, recipient: string): string => `(
    SELECT created_at, id FROM messages.messages
    WHERE project_id = $1 AND sender_mailbox = ${sender} AND recipient_mailbox = ${recipient} AND created_at <= $4
    ORDER BY created_at DESC, id DESC LIMIT 1)`;
  const [row] = await manager.query<{ created_at: string; id: string }[]>(
    `SELECT * FROM (${last('$2', '$3')} UNION ALL ${last('$3', '$2')}) AS last
     ORDER BY created_at DESC, id DESC LIMIT 1`,
    [project_id, owner, peer, time],
  );
  return row && [row.created_at, row.id];
}

async function move(
  manager: EntityManager,
  { project_id, owner, peer }: ConversationSide,
  [at, id]: Position,
): Promise<void> {
  await manager.query(
    `UPDATE messages.conversations SET read_at = $4, read_id = $5
     WHERE project_id = $1 AND owner = $2 AND peer = $3 AND (read_at IS NULL OR (read_at, read_id) < ($4, $5))`,
    [project_id, owner, peer, at, id],
  );
}

async function viewOf(
  manager: EntityManager,
  { project_id, owner, peer }: ConversationSide,
): Promise<string | undefined> {
  const [row] = await manager.query<StoredConversation[]>(viewsOf(`${OWN} AND peer = $3`), [
    project_id,
    owner,
    peer,
  ]);
  return row && conversationJson(row);
}
