import { Body, Controller, Injectable, Post } from '@nestjs/common';
import { NewMessage, type SentMessage } from '#contracts';
import { Database } from '#database';
import { v7 as uuidv7 } from 'uuid';
import { ENTITIES, SCHEMA } from '../../apps/messages/src/messages.entity.js';
import { Project } from '../baselines/key.guard.js';
import { serveMonolith } from '../baselines/monolith.js';

const SENDER = 'ada@example.com';

const ADD = `INSERT INTO messages.messages
  (project_id, id, created_at, sender, recipient, sender_mailbox, recipient_mailbox, message)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

const KEEP = `INSERT INTO messages.conversations
  (project_id, owner, peer, peer_address, newest_at, last_at, last_id)
  VALUES ($1, $2, $3, $4, $5, $5, $6), ($1, $3, $2, $7, $5, $5, $6)
  ON CONFLICT (project_id, owner, peer) DO UPDATE SET
    newest_at = EXCLUDED.newest_at, last_at = EXCLUDED.last_at, last_id = EXCLUDED.last_id`;

/** A message as one would write it: the message and both sides of its conversation, a transaction for each. */
@Injectable()
class MessageTransaction {
  constructor(private readonly database: Database) {}

  send(project_id: string, { recipient, message }: NewMessage): Promise<SentMessage> {
    return this.database.transaction(async (manager) => {
      const id = uuidv7();
      const created_at = new Date().toISOString();
      const [from, to] = ['member ada', `device ${recipient}`];
      await manager.query(ADD, [project_id, id, created_at, SENDER, recipient, from, to, message]);
      await manager.query(KEEP, [project_id, from, to, recipient, created_at, id, SENDER]);
      return { id, sender: SENDER, recipient, message, created_at };
    });
  }
}

@Controller('v1/messages')
class MonolithController {
  constructor(private readonly transaction: MessageTransaction) {}

  @Post()
  send(@Body() message: NewMessage, @Project() project_id: string): Promise<SentMessage> {
    return this.transaction.send(project_id, message);
  }
}

await serveMonolith(
  { schema: SCHEMA, entities: ENTITIES },
  { controllers: [MonolithController], providers: [MessageTransaction] },
);
