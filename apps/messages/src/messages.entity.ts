import { IdempotencyKey, TransactionIdColumn } from '#database';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const SCHEMA = 'messages';

/** Partitioned by month of `created_at`; the migration says what TypeORM has no words for. */
@Entity({ schema: SCHEMA, name: 'messages' })
@Index('messages_by_transaction', ['transaction_id', 'id'])
@Index('messages_by_time', ['project_id', 'created_at', 'id'])
@Index('messages_by_recipient', ['project_id', 'recipient_mailbox', 'created_at', 'id'])
@Index('messages_by_sender', ['project_id', 'sender_mailbox', 'created_at', 'id'])
@Index('messages_by_pair', ['project_id', 'recipient_mailbox', 'sender_mailbox', 'created_at', 'id'])
@Index('messages_by_device', ['project_id', 'device_id', 'created_at', 'id'], {
  where: 'device_id IS NOT NULL',
})
export class MessageRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('uuid') id!: string;
  @PrimaryColumn({ type: 'timestamptz', precision: 3 }) created_at!: string;
  /** Addresses as they were written then; whose they were is in the mailboxes. */
  @Column('text') sender!: string;
  @Column('text') recipient!: string;
  @Column('text') sender_mailbox!: string;
  @Column('text') recipient_mailbox!: string;
  @Column('text') message!: string;
  @Column('text', { nullable: true }) device_id!: string | null;
  @TransactionIdColumn() transaction_id!: string;
}

/** How a conversation looks from one of its two sides. Both rows move with each message, in its transaction. */
@Entity({ schema: SCHEMA, name: 'conversations' })
@Check('conversations_last', `num_nulls("last_at", "last_id") IN (0, 2)`)
@Check('conversations_read', `num_nulls("read_at", "read_id") IN (0, 2)`)
@Index('conversations_by_last', ['project_id', 'owner', 'last_at', 'last_id'])
export class ConversationRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') owner!: string;
  @PrimaryColumn('text') peer!: string;
  /** The peer's address in the last message. */
  @Column('text') peer_address!: string;
  /** The newest `created_at` there ever was; the next message comes after it. */
  @Column({ type: 'timestamptz', precision: 3 }) newest_at!: string;
  /** The newest message that is not deleted; null when all are. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) last_at!: string | null;
  @Column('uuid', { nullable: true }) last_id!: string | null;
  /** The read horizon: the last message that the owner has read. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) read_at!: string | null;
  @Column('uuid', { nullable: true }) read_id!: string | null;
}

@Entity({ schema: SCHEMA, name: 'idempotency_keys' })
export class MessageIdempotencyKey extends IdempotencyKey {}

export const ENTITIES = [MessageRow, ConversationRow, MessageIdempotencyKey];
