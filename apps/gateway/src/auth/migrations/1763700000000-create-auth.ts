import { idempotencyKeysTable } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

const TABLES = [
  `CREATE TABLE "auth"."projects" (
    "id" uuid NOT NULL,
    "name" text NOT NULL,
    "created_at" timestamptz(3) NOT NULL,
    "deleted_at" timestamptz(3),
    "version" integer NOT NULL,
    CONSTRAINT "projects_pkey" PRIMARY KEY ("id")
  )`,
  `CREATE TABLE "auth"."members" (
    "project_id" uuid NOT NULL,
    "id" uuid NOT NULL,
    "email" text NOT NULL,
    "name" text,
    "role" text NOT NULL,
    "created_at" timestamptz(3) NOT NULL,
    "version" integer NOT NULL,
    CONSTRAINT "members_pkey" PRIMARY KEY ("project_id", "id"),
    CONSTRAINT "members_role" CHECK ("role" IN ('admin', 'editor', 'viewer'))
  )`,
  `CREATE UNIQUE INDEX "members_by_email" ON "auth"."members" ("project_id", lower("email"))`,
  `CREATE TABLE "auth"."devices" (
    "project_id" uuid NOT NULL,
    "id" text NOT NULL,
    "name" text,
    "labels" jsonb NOT NULL,
    "created_at" timestamptz(3) NOT NULL,
    "version" integer NOT NULL,
    CONSTRAINT "devices_pkey" PRIMARY KEY ("project_id", "id")
  )`,
  `CREATE INDEX "devices_by_time" ON "auth"."devices" ("project_id", "created_at", "id")`,
  `CREATE INDEX "devices_by_label" ON "auth"."devices" USING gin ("project_id", "labels")`,
  `CREATE TABLE "auth"."keys" (
    "id" uuid NOT NULL,
    "project_id" uuid,
    "member_id" uuid,
    "device_id" text,
    "secret_hash" bytea NOT NULL,
    "created_at" timestamptz(3) NOT NULL,
    "expires_at" timestamptz(3),
    "revoked_at" timestamptz(3),
    "last_used_at" timestamptz(3),
    "revision" bigint NOT NULL,
    CONSTRAINT "keys_pkey" PRIMARY KEY ("id"),
    CONSTRAINT "keys_owner" CHECK (num_nonnulls("member_id", "device_id") = num_nonnulls("project_id"))
  )`,
  `CREATE INDEX "keys_by_project" ON "auth"."keys" ("project_id", "created_at", "id")`,
  `CREATE INDEX "keys_by_member" ON "auth"."keys" ("member_id") WHERE member_id IS NOT NULL`,
  `CREATE INDEX "keys_by_device" ON "auth"."keys" ("project_id", "device_id") WHERE device_id IS NOT NULL`,
  `CREATE INDEX "keys_by_revision" ON "auth"."keys" ("revision")`,
  `CREATE TABLE "auth"."revision" (
    "only" boolean NOT NULL,
    "value" bigint NOT NULL,
    CONSTRAINT "revision_pkey" PRIMARY KEY ("only")
  )`,
  `INSERT INTO "auth"."revision" VALUES (true, 0)`,
  `CREATE TABLE "auth"."gateways" (
    "id" uuid NOT NULL,
    "seen" bigint NOT NULL,
    "lease_until" timestamptz NOT NULL,
    CONSTRAINT "gateways_pkey" PRIMARY KEY ("id")
  )`,
  idempotencyKeysTable('auth'),
];

export class CreateAuth1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(table);
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const table of [
      'projects',
      'members',
      'devices',
      'keys',
      'revision',
      'gateways',
      'idempotency_keys',
    ]) {
      await runner.query(`DROP TABLE "auth"."${table}"`);
    }
  }
}
