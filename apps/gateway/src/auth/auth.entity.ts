import { IdempotencyKey, TransactionIdColumn } from '#database';
import { Check, Column, Entity, Index, PrimaryColumn, VersionColumn } from 'typeorm';
import { type AuditAction, type AuditAuthor, type AuditOrigin } from '#contracts';
import { type MemberRole } from './resources.js';

export const SCHEMA = 'auth';

@Entity({ schema: SCHEMA, name: 'projects' })
@Index('projects_by_revision', ['revision'])
export class Project {
  @PrimaryColumn('uuid') id!: string;
  @Column('text') name!: string;
  @Column({ type: 'timestamptz', precision: 3 }) created_at!: Date;
  /** Kept when deleted: what was written to it still names it. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) deleted_at!: Date | null;
  @VersionColumn() version!: number;
  /** Counted up when it is deleted, in place of that of each of its keys; see `revisions.ts`. */
  @Column('bigint', { default: 0 }) revision!: string;
}

@Entity({ schema: SCHEMA, name: 'members' })
@Check('members_role', `"role" IN ('admin', 'editor', 'viewer')`)
@Index('members_by_email', { synchronize: false })
export class Member {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column('text') email!: string;
  @Column('text', { nullable: true }) name!: string | null;
  @Column('text') role!: MemberRole;
  @Column({ type: 'timestamptz', precision: 3 }) created_at!: Date;
  @VersionColumn() version!: number;
}

@Entity({ schema: SCHEMA, name: 'devices' })
@Index('devices_by_time', ['project_id', 'created_at', 'id'])
@Index('devices_by_label', { synchronize: false })
export class Device {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') id!: string;
  @Column('text', { nullable: true }) name!: string | null;
  @Column('jsonb') labels!: Record<string, string>;
  @Column({ type: 'timestamptz', precision: 3 }) created_at!: Date;
  @VersionColumn() version!: number;
}

/** A key of the operator, of a member or of a device. Only a keyed hash of its secret is here. */
@Entity({ schema: SCHEMA, name: 'keys' })
@Check('keys_owner', `num_nonnulls("member_id", "device_id") = num_nonnulls("project_id")`)
@Index('keys_by_project', ['project_id', 'created_at', 'id'])
@Index('keys_by_member', ['member_id'], { where: 'member_id IS NOT NULL' })
@Index('keys_by_device', ['project_id', 'device_id'], { where: 'device_id IS NOT NULL' })
@Index('keys_by_revision', ['revision'])
export class Key {
  @PrimaryColumn('uuid') id!: string;
  /** Null for the operator's. */
  @Column('uuid', { nullable: true }) project_id!: string | null;
  @Column('uuid', { nullable: true }) member_id!: string | null;
  @Column('text', { nullable: true }) device_id!: string | null;
  @Column('bytea') secret_hash!: Buffer;
  @Column({ type: 'timestamptz', precision: 3 }) created_at!: Date;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) expires_at!: Date | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) revoked_at!: Date | null;
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) last_used_at!: Date | null;
  /** When it got its successor. */
  @Column({ type: 'timestamptz', precision: 3, nullable: true }) rotated_at!: Date | null;
  /** Counted up whenever what this key may do shrinks or moves; see `revisions.ts`. */
  @Column('bigint') revision!: string;
}

/** One row: the newest revision of any key or project. Its lock puts revisions in the order of their commits. */
@Entity({ schema: SCHEMA, name: 'revision' })
export class Revision {
  @PrimaryColumn('boolean') only!: boolean;
  @Column('bigint') value!: string;
}

/** A gateway that holds keys in memory, up to which revision it has let go of them, and until when it may. */
@Entity({ schema: SCHEMA, name: 'gateways' })
export class GatewayLease {
  @PrimaryColumn('uuid') id!: string;
  @Column('bigint') seen!: string;
  @Column('timestamptz') lease_until!: Date;
  /** Whether it lets go of the keys of deleted projects; gateways of a version that does not are given no lease. */
  @Column('boolean', { default: false }) follows_projects!: boolean;
}

/** Append-only: who changed what in a project, from where. */
@Entity({ schema: SCHEMA, name: 'audit_entries' })
@Index('audit_entries_by_transaction', ['transaction_id', 'id'])
export class AuditEntryRow {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('uuid') id!: string;
  @Column({ type: 'timestamptz', precision: 3 }) at!: Date;
  @Column('text') action!: AuditAction;
  @Column('text') subject_id!: string;
  @Column('text') subject!: string;
  @Column('text', { nullable: true }) device_id!: string | null;
  @Column('json') who!: AuditAuthor;
  @Column('json') origin!: AuditOrigin;
  @Column('json') details!: object;
  @TransactionIdColumn() transaction_id!: string;
}

@Entity({ schema: SCHEMA, name: 'idempotency_keys' })
export class AuthIdempotencyKey extends IdempotencyKey {}

export const ENTITIES = [
  ...[Project, Member, Device, Key, AuditEntryRow],
  ...[Revision, GatewayLease, AuthIdempotencyKey],
];
