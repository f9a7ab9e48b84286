import { IdempotencyKey, TransactionIdColumn } from '#database';
import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const SCHEMA = 'firmware';

/** Append-only. Partitioned by month of `timestamp`; the migration says what TypeORM has no words for. */
@Entity({ schema: SCHEMA, name: 'firmware_events' })
@Index('firmware_events_by_transaction', ['transaction_id', 'id'])
@Index('firmware_events_once', ['project_id', 'device_id', 'timestamp', 'firmware', 'status'], {
  unique: true,
})
@Index('firmware_events_by_time', ['project_id', 'timestamp', 'id'])
@Index('firmware_events_installs', ['project_id', 'device_id', 'timestamp', 'id'], {
  where: "status IN ('installed', 'updated')",
})
export class FirmwareEventRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') device_id!: string;
  @PrimaryColumn({ type: 'timestamptz', precision: 3 }) timestamp!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') firmware!: string;
  @Column('text') status!: string;
  @Column({ type: 'timestamptz', precision: 3 }) created_at!: string;
  @TransactionIdColumn() transaction_id!: string;
}

/** A device that has reported something in this project: its newest event, and what it runs. */
@Entity({ schema: SCHEMA, name: 'devices' })
export class DeviceRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') device_id!: string;
  @Column('uuid', { nullable: true }) newest_id!: string | null;
  @Column('text', { nullable: true }) newest_firmware!: string | null;
  @Column('text', { nullable: true }) newest_status!: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) newest_timestamp!: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) newest_created_at!: string | null;
  @Column('uuid', { nullable: true }) current_id!: string | null;
  @Column('text', { nullable: true }) current_firmware!: string | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) current_since!: string | null;
}

/**
 * By how much the number of devices that run a version changed within a span of time. Each change stands once for
 * each length of span, so that a sum up to any moment is one of few rows; see `adoption-spans.ts`.
 */
@Entity({ schema: SCHEMA, name: 'adoption_changes' })
export class AdoptionChangeRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('int') span_s!: number;
  /** Milliseconds since 1970. */
  @PrimaryColumn('bigint') start_ms!: string;
  @PrimaryColumn('text') firmware!: string;
  @Column('int') change!: number;
}

@Entity({ schema: SCHEMA, name: 'idempotency_keys' })
export class FirmwareIdempotencyKey extends IdempotencyKey {}

export const ENTITIES = [FirmwareEventRow, DeviceRow, AdoptionChangeRow, FirmwareIdempotencyKey];
