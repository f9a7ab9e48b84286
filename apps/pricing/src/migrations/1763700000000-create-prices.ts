import { idempotencyKeysTable, monthlyPartitions } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreatePrices1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    // Room on each page, so that a new price stays beside the old one and touches no index.
    await runner.query(`CREATE TABLE "pricing"."prices" (
      "project_id" uuid NOT NULL,
      "product_id" text NOT NULL,
      "price" numeric NOT NULL,
      "previous_price" numeric,
      "sequence" bigint NOT NULL,
      "timestamp" timestamptz(3) NOT NULL,
      CONSTRAINT "prices_pkey" PRIMARY KEY ("project_id", "product_id"),
      CONSTRAINT "prices_are_above_zero" CHECK (price > 0)
    ) WITH (fillfactor = 70)`);
    // The key is also the index by which a chain is read.
    await runner.query(`CREATE TABLE "pricing"."changes" (
      "project_id" uuid NOT NULL,
      "product_id" text NOT NULL,
      "timestamp" timestamptz(3) NOT NULL,
      "sequence" bigint NOT NULL,
      "id" uuid NOT NULL,
      "previous_price" numeric,
      "new_price" numeric NOT NULL,
      "transaction_id" bigint NOT NULL,
      CONSTRAINT "changes_pkey" PRIMARY KEY ("project_id", "product_id", "timestamp", "sequence"),
      CONSTRAINT "changes_are_above_zero" CHECK (new_price > 0),
      CONSTRAINT "changes_begin_with_null" CHECK ((previous_price IS NULL) = (sequence = 1))
    ) PARTITION BY RANGE ("timestamp")`);
    await runner.query(
      `CREATE INDEX "changes_by_time" ON "pricing"."changes" ("project_id", "timestamp", "product_id", "sequence")`,
    );
    // Of all projects: the archive is one feed.
    await runner.query(
      `CREATE INDEX "changes_by_transaction" ON "pricing"."changes" ("transaction_id", "id")`,
    );
    for (const statement of monthlyPartitions({
      schema: 'pricing',
      table: 'changes',
      column: 'timestamp',
    })) {
      await runner.query(statement);
    }
    await runner.query(`CREATE TABLE "pricing"."archive_position" (
      "is_one" boolean NOT NULL DEFAULT true,
      "transaction_id" bigint NOT NULL,
      "id" uuid NOT NULL,
      "files" bigint NOT NULL,
      CONSTRAINT "archive_position_pkey" PRIMARY KEY ("is_one"),
      CONSTRAINT "archive_position_is_one" CHECK (is_one)
    )`);
    await runner.query(
      `INSERT INTO "pricing"."archive_position" VALUES (true, 0, '00000000-0000-0000-0000-000000000000', 0)`,
    );
    await runner.query(`CREATE TABLE "pricing"."archive_files" (
      "name" text NOT NULL,
      "aside" text NOT NULL,
      CONSTRAINT "archive_files_pkey" PRIMARY KEY ("name")
    )`);
    await runner.query(idempotencyKeysTable('pricing'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP FUNCTION "pricing"."maintain_changes"(interval), "pricing"."drop_past_changes"(interval)`,
    );
    for (const table of ['changes', 'prices', 'archive_position', 'archive_files', 'idempotency_keys']) {
      await runner.query(`DROP TABLE "pricing"."${table}"`);
    }
  }
}
