import { idempotencyKeysTable, monthlyPartitions } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateDeviceState1763710000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Room in each page, so that a duplicate, which touches no index, is written beside the row it replaces.
    await runner.query(`CREATE TABLE "device_state"."states" (
      "project_id" uuid NOT NULL,
      "device_id" text NOT NULL,
      "version" bigint NOT NULL DEFAULT 0,
      "current" json,
      "desired" json,
      "desired_version" bigint NOT NULL DEFAULT 0,
      "duplicates" bigint NOT NULL DEFAULT 0,
      "entries" bigint NOT NULL DEFAULT 0,
      "first_seen_at" timestamptz(3),
      "last_seen_at" timestamptz(3),
      "updated_at" timestamptz(3),
      "sequence" bigint,
      "boot_id" text,
      "earlier_boot_ids" json NOT NULL DEFAULT '[]',
      "timestamp" timestamptz(3),
      CONSTRAINT "states_pkey" PRIMARY KEY ("project_id", "device_id")
    ) WITH (fillfactor = 80)`);
    await runner.query(
      `CREATE INDEX "states_by_first_seen" ON "device_state"."states" ("project_id", "first_seen_at", "device_id")`,
    );
    await runner.query(
      `CREATE INDEX "states_by_update" ON "device_state"."states" ("project_id", "updated_at", "device_id")`,
    );
    // The key is also the order of a device's history, and finds the row in force at a time.
    await runner.query(`CREATE TABLE "device_state"."history" (
      "project_id" uuid NOT NULL,
      "device_id" text NOT NULL,
      "recorded_at" timestamptz(3) NOT NULL,
      "entry" bigint NOT NULL,
      "id" uuid NOT NULL,
      "operation" text NOT NULL,
      "result" text NOT NULL,
      "version" bigint NOT NULL,
      "patch" json,
      "data" json,
      "updated_at" timestamptz(3) NOT NULL,
      "timestamp" timestamptz(3) NOT NULL,
      "clock" text NOT NULL,
      "sequence" bigint,
      "boot_id" text,
      "key_id" uuid NOT NULL,
      CONSTRAINT "history_pkey" PRIMARY KEY ("project_id", "device_id", "recorded_at", "entry")
    ) PARTITION BY RANGE ("recorded_at")`);
    for (const statement of monthlyPartitions({
      schema: 'device_state',
      table: 'history',
      column: 'recorded_at',
    })) {
      await runner.query(statement);
    }
    await runner.query(idempotencyKeysTable('device_state'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP FUNCTION "device_state"."maintain_history"(interval), "device_state"."drop_past_history"(interval)`,
    );
    for (const table of ['history', 'states', 'idempotency_keys'])
      await runner.query(`DROP TABLE "device_state"."${table}"`);
  }
}
