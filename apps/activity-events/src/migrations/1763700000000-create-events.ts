import { idempotencyKeysTable, monthlyPartitions } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateEvents1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "activity_events"."events" (
      "project_id" uuid NOT NULL,
      "id" uuid NOT NULL,
      "occurred_at" timestamptz(3) NOT NULL,
      "component" text NOT NULL,
      "environment" text NOT NULL,
      "email" text NOT NULL,
      "message" text NOT NULL,
      "data" json NOT NULL,
      "device_id" text,
      "created_at" timestamptz(3) NOT NULL,
      CONSTRAINT "events_pkey" PRIMARY KEY ("project_id", "id", "occurred_at")
    ) PARTITION BY RANGE ("occurred_at")`);
    const list = (name: string, columns: string, where = ''): string =>
      `CREATE INDEX "${name}" ON "activity_events"."events" ("project_id", ${columns}"occurred_at", "id") ${where}`;
    await runner.query(list('events_by_time', ''));
    await runner.query(list('events_by_component', '"component", '));
    await runner.query(list('events_by_environment', '"environment", '));
    await runner.query(list('events_by_email', '"email", '));
    await runner.query(list('events_by_device', '"device_id", ', 'WHERE device_id IS NOT NULL'));
    // Substrings in any case. The project stands first so that a part that is frequent elsewhere costs nothing here;
    // the short pending list (kB) keeps both its flush and a search of it to a few milliseconds.
    await runner.query(`CREATE INDEX "events_by_message" ON "activity_events"."events"
      USING gin ("project_id", "message" public.gin_trgm_ops) WITH (gin_pending_list_limit = 512)`);
    for (const statement of monthlyPartitions({
      schema: 'activity_events',
      table: 'events',
      column: 'occurred_at',
    })) {
      await runner.query(statement);
    }
    await runner.query(idempotencyKeysTable('activity_events'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP FUNCTION "activity_events"."maintain_events"(interval), "activity_events"."drop_past_events"(interval)`,
    );
    await runner.query('DROP TABLE "activity_events"."events"');
    await runner.query('DROP TABLE "activity_events"."idempotency_keys"');
  }
}
