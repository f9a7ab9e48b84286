import { idempotencyKeysTable, monthlyPartitions } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

// Rows that are updated over and over keep room on their page, so that an update touches no index.
const UPDATED_IN_PLACE = 'WITH (fillfactor = 80)';

const TABLES = [
  `CREATE TABLE "firmware"."firmware_events" (
    "project_id" uuid NOT NULL,
    "device_id" text NOT NULL,
    "timestamp" timestamptz(3) NOT NULL,
    "id" uuid NOT NULL,
    "firmware" text NOT NULL,
    "status" text NOT NULL,
    "created_at" timestamptz(3) NOT NULL,
    CONSTRAINT "firmware_events_pkey" PRIMARY KEY ("project_id", "device_id", "timestamp", "id")
  ) PARTITION BY RANGE ("timestamp")`,
  `CREATE UNIQUE INDEX "firmware_events_once"
    ON "firmware"."firmware_events" ("project_id", "device_id", "timestamp", "firmware", "status")`,
  `CREATE INDEX "firmware_events_installs"
    ON "firmware"."firmware_events" ("project_id", "device_id", "timestamp", "id")
    WHERE status IN ('installed', 'updated')`,
  `CREATE TABLE "firmware"."devices" (
    "project_id" uuid NOT NULL,
    "device_id" text NOT NULL,
    "newest_id" uuid,
    "newest_firmware" text,
    "newest_status" text,
    "newest_timestamp" timestamptz(3),
    "newest_created_at" timestamptz(3),
    "current_id" uuid,
    "current_firmware" text,
    "current_since" timestamptz(3),
    CONSTRAINT "devices_pkey" PRIMARY KEY ("project_id", "device_id")
  ) ${UPDATED_IN_PLACE}`,
  `CREATE TABLE "firmware"."adoption_changes" (
    "project_id" uuid NOT NULL,
    "span_s" integer NOT NULL,
    "start_ms" bigint NOT NULL,
    "firmware" text NOT NULL,
    "change" integer NOT NULL,
    CONSTRAINT "adoption_changes_pkey" PRIMARY KEY ("project_id", "span_s", "start_ms", "firmware")
  ) ${UPDATED_IN_PLACE}`,
  idempotencyKeysTable('firmware'),
];

export class CreateFirmware1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const table of TABLES) await runner.query(table);
    for (const statement of monthlyPartitions({
      schema: 'firmware',
      table: 'firmware_events',
      column: 'timestamp',
    })) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP FUNCTION "firmware"."maintain_firmware_events"(interval), "firmware"."drop_past_firmware_events"(interval)`,
    );
    for (const table of ['firmware_events', 'devices', 'adoption_changes', 'idempotency_keys']) {
      await runner.query(`DROP TABLE "firmware"."${table}"`);
    }
  }
}
