import { BEFORE_FEEDS, fillTables } from '../fill-tables.js';

/** The table that messages are in. */
export const MESSAGES = 'messages.messages';
const TABLES = [MESSAGES, 'messages.conversations'];

/** A member's side of its conversations, as their addresses and mailboxes. */
export interface Owner {
  project_id: string;
  address: string;
  mailbox: string;
}

/**
 * `each` messages between the owner and each of the devices `<prefix>0` to `<prefix><peers - 1>`, every other one
 * from the owner, within the last 20 days, past the product. What the devices sent last is unread.
 */
export function loadConversations(
  database_url: string,
  { project_id, address, mailbox }: Owner,
  prefix: string,
  peers: number,
  each: number,
): Promise<void> {
  return fillTables(database_url, TABLES, async (client) => {
    await client.query(
      `INSERT INTO messages.messages
         (project_id, id, created_at, sender, recipient, sender_mailbox, recipient_mailbox, message,
          transaction_id)
       SELECT $1, uuidv7(), date_trunc('milliseconds', now() - interval '20 days' * (1 - (number + 1.0) / $6::int)
                                       - peer * interval '1 ms'),
         CASE WHEN is_own THEN $2 ELSE $4 || peer END, CASE WHEN is_own THEN $4 || peer ELSE $2 END,
         CASE WHEN is_own THEN $3 ELSE 'device ' || $4 || peer END,
         CASE WHEN is_own THEN 'device ' || $4 || peer ELSE $3 END, 'Message ' || number, ${BEFORE_FEEDS}
       FROM generate_series(0, $5::int - 1) AS peer, generate_series(0, $6::int - 1) AS number,
         LATERAL (SELECT number % 2 = 0 AS is_own) AS side`,
      [project_id, address, mailbox, prefix, peers, each],
    );
    await client.query(
      `WITH last AS (
         SELECT DISTINCT ON (peer) created_at, id, peer FROM (
           SELECT created_at, id, recipient_mailbox AS peer FROM messages.messages
           WHERE project_id = $1 AND sender_mailbox = $3
           UNION ALL
           SELECT created_at, id, sender_mailbox FROM messages.messages
           WHERE project_id = $1 AND recipient_mailbox = $3
         ) AS message WHERE starts_with(peer, 'device ' || $4) ORDER BY peer, created_at DESC, id DESC
       )
       INSERT INTO messages.conversations
         (project_id, owner, peer, peer_address, newest_at, last_at, last_id, read_at, read_id)
       SELECT $1, $3, peer, substr(peer, 8), created_at, created_at, id, created_at - interval '1 ms', id FROM last
       UNION ALL
       SELECT $1, peer, $3, $2, created_at, created_at, id, NULL, NULL FROM last`,
      [project_id, address, mailbox, prefix],
    );
  });
}
