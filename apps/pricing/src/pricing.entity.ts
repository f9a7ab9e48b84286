import { IdempotencyKey, TransactionIdColumn } from '#database';
import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';

export const SCHEMA = 'pricing';

/** The price of each product now: the last link of its chain. `numeric` keeps digits as they came, 19.90 too. */
@Entity({ schema: SCHEMA, name: 'prices' })
@Check('prices_are_above_zero', 'price > 0')
export class PriceRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') product_id!: string;
  @Column('numeric') price!: string;
  @Column('numeric', { nullable: true }) previous_price!: string | null;
  @Column('bigint') sequence!: string;
  @Column({ type: 'timestamptz', precision: 3 }) timestamp!: string;
}

/** Append-only: the chains. Partitioned by month of `timestamp`; the migration says what TypeORM has no words for. */
@Entity({ schema: SCHEMA, name: 'changes' })
@Check('changes_are_above_zero', 'new_price > 0')
@Check('changes_begin_with_null', '(previous_price IS NULL) = (sequence = 1)')
@Index('changes_by_time', ['project_id', 'timestamp', 'product_id', 'sequence'])
@Index('changes_by_transaction', ['transaction_id', 'id'])
export class PriceChangeRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') product_id!: string;
  @PrimaryColumn({ type: 'timestamptz', precision: 3 }) timestamp!: string;
  @PrimaryColumn('bigint') sequence!: string;
  @Column('uuid') id!: string;
  @Column('numeric', { nullable: true }) previous_price!: string | null;
  @Column('numeric') new_price!: string;
  @TransactionIdColumn() transaction_id!: string;
}

/** One row: up to where changes are in archive files, and how many files that were. */
@Entity({ schema: SCHEMA, name: 'archive_position' })
@Check('archive_position_is_one', 'is_one')
export class ArchivePosition {
  @PrimaryColumn('boolean', { default: true }) is_one!: boolean;
  @Column('bigint') transaction_id!: string;
  @Column('uuid') id!: string;
  @Column('bigint') files!: string;
  /** How often a replica has begun to lead. */
  @Column('bigint', { default: 0 }) leads!: string;
}

/** Archive files that are written aside, and are promised to be in their place. */
@Entity({ schema: SCHEMA, name: 'archive_files' })
export class ArchiveFile {
  @PrimaryColumn('text') name!: string;
  @Column('text') aside!: string;
}

@Entity({ schema: SCHEMA, name: 'idempotency_keys' })
export class PricingIdempotencyKey extends IdempotencyKey {}

export const ENTITIES = [PriceRow, PriceChangeRow, ArchivePosition, ArchiveFile, PricingIdempotencyKey];
