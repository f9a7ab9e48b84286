import { IdempotencyKey, InboxEntry, TransactionIdColumn } from '#database';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const SCHEMA = 'activity_events';

/** Append-only. Partitioned by month of `occurred_at`; the migration says what TypeORM has no words for. */
@Entity({ schema: SCHEMA, name: 'events' })
@Index('events_by_transaction', ['transaction_id', 'id'])
@Index('events_by_time', ['project_id', 'occurred_at', 'id'])
@Index('events_by_component', ['project_id', 'component', 'occurred_at', 'id'])
@Index('events_by_environment', ['project_id', 'environment', 'occurred_at', 'id'])
@Index('events_by_email', ['project_id', 'email', 'occurred_at', 'id'])
@Index('events_by_device', ['project_id', 'device_id', 'occurred_at', 'id'], {
  where: 'device_id IS NOT NULL',
})
@Index('events_by_message', { synchronize: false })
export class EventRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('uuid') id!: string;
  @PrimaryColumn({ type: 'timestamptz', precision: 3 }) occurred_at!: string;
  @Column('text') component!: string;
  @Column('text') environment!: string;
  @Column('text') email!: string;
  @Column('text') message!: string;
  /** Kept as the text that is answered with: nobody looks inside, and jsonb would reorder it. */
  @Column('json') data!: unknown;
  @Column('text', { nullable: true }) device_id!: string | null;
  @Column({ type: 'timestamptz', precision: 3 }) created_at!: string;
  @TransactionIdColumn() transaction_id!: string;
}

@Entity({ schema: SCHEMA, name: 'idempotency_keys' })
export class EventIdempotencyKey extends IdempotencyKey {}

@Entity({ schema: SCHEMA, name: 'inbox' })
export class EventInboxEntry extends InboxEntry {}

export const ENTITIES = [EventRow, EventIdempotencyKey, EventInboxEntry];
