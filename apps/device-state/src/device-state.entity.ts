import { IdempotencyKey, TransactionIdColumn } from '#database';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const SCHEMA = 'device_state';

/** What a device's state is now. A row, once made, is never removed: its counters go on for ever. */
@Entity({ schema: SCHEMA, name: 'states' })
@Index('states_by_first_seen', ['project_id', 'first_seen_at', 'device_id'])
@Index('states_by_update', ['project_id', 'updated_at', 'device_id'])
export class StateRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') device_id!: string;
  /** Reports applied so far. */
  @Column('bigint', { default: 0 }) version!: string;
  /** Null before the first report and after a deletion. */
  @Column('json', { nullable: true }) current!: unknown;
  @Column('json', { nullable: true }) desired!: unknown;
  @Column('bigint', { default: 0 }) desired_version!: string;
  @Column('bigint', { default: 0 }) duplicates!: string;
  /** Rows of history so far: the number of the last. */
  @Column('bigint', { default: 0 }) entries!: string;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) first_seen_at!: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) last_seen_at!: string | null;
  /** When `current` last changed. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) updated_at!: string | null;
  /** Of the last report that was believed: what the next ones are held against. */
  @Column('bigint', { nullable: true }) sequence!: string | null;
  @Column('text', { nullable: true }) boot_id!: string | null;
  @Column('json', { default: '[]' }) earlier_boot_ids!: string[];
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) timestamp!: string | null;
}

/**
 * Append-only: reports applied and stale, and deletions. Partitioned by month of `recorded_at`, which never runs
 * backwards for a device. Each row holds all of the state after it, so that one row answers for its time.
 */
@Entity({ schema: SCHEMA, name: 'history' })
@Index('history_by_transaction', ['transaction_id', 'id'])
@Index('history_by_time', ['project_id', 'recorded_at', 'device_id', 'entry'])
export class HistoryRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') device_id!: string;
  @PrimaryColumn({ type: 'timestamptz', precision: 3 }) recorded_at!: string;
  /** 1, 2, 3 … for each device. */
  @PrimaryColumn('bigint') entry!: string;
  @Column('uuid') id!: string;
  @Column('text') operation!: string;
  @Column('text') result!: string;
  @Column('bigint') version!: string;
  @Column('json', { nullable: true }) patch!: unknown;
  @Column('json', { nullable: true }) data!: unknown;
  /** When the state last changed, as of this row. */
  @Column({ type: 'timestamptz', precision: 3 }) updated_at!: string;
  @Column({ type: 'timestamptz', precision: 3 }) timestamp!: string;
  @Column('text') clock!: string;
  @Column('bigint', { nullable: true }) sequence!: string | null;
  @Column('text', { nullable: true }) boot_id!: string | null;
  @Column('uuid') key_id!: string;
  @TransactionIdColumn() transaction_id!: string;
}

@Entity({ schema: SCHEMA, name: 'idempotency_keys' })
export class StateIdempotencyKey extends IdempotencyKey {}

export const ENTITIES = [StateRow, HistoryRow, StateIdempotencyKey];
