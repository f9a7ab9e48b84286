import { idempotencyKeysTable, monthlyPartitions } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class CreateMessages1763700000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "messages"."messages" (
      "project_id" uuid NOT NULL,
      "id" uuid NOT NULL,
      "created_at" timestamptz(3) NOT NULL,
      "sender" text NOT NULL,
      "recipient" text NOT NULL,
      "sender_mailbox" text NOT NULL,
      "recipient_mailbox" text NOT NULL,
      "message" text NOT NULL,
      "device_id" text,
      CONSTRAINT "messages_pkey" PRIMARY KEY ("project_id", "id", "created_at")
    ) PARTITION BY RANGE ("created_at")`);
    const list = (name: string, columns: string): string =>
      `CREATE INDEX "${name}" ON "messages"."messages" ("project_id", ${columns}"created_at", "id")`;
    await runner.query(list('messages_by_time', ''));
    await runner.query(list('messages_by_recipient', '"recipient_mailbox", '));
    await runner.query(list('messages_by_sender', '"sender_mailbox", '));
    await runner.query(list('messages_by_pair', '"recipient_mailbox", "sender_mailbox", '));
    for (const statement of monthlyPartitions({
      schema: 'messages',
      table: 'messages',
      column: 'created_at',
    })) {
      await runner.query(statement);
    }
    await runner.query(`CREATE TABLE "messages"."conversations" (
      "project_id" uuid NOT NULL,
      "owner" text NOT NULL,
      "peer" text NOT NULL,
      "peer_address" text NOT NULL,
      "newest_at" timestamptz(3) NOT NULL,
      "last_at" timestamptz(3),
      "last_id" uuid,
      "read_at" timestamptz(3),
      "read_id" uuid,
      CONSTRAINT "conversations_pkey" PRIMARY KEY ("project_id", "owner", "peer"),
      CONSTRAINT "conversations_last" CHECK (num_nulls("last_at", "last_id") IN (0, 2)),
      CONSTRAINT "conversations_read" CHECK (num_nulls("read_at", "read_id") IN (0, 2))
    )`);
    await runner.query(`CREATE INDEX "conversations_by_last"
      ON "messages"."conversations" ("project_id", "owner", "last_at", "last_id")`);
    await runner.query(idempotencyKeysTable('messages'));
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DROP FUNCTION "messages"."maintain_messages"(interval), "messages"."drop_past_messages"(interval)`,
    );
    await runner.query('DROP TABLE "messages"."messages"');
    await runner.query('DROP TABLE "messages"."conversations"');
    await runner.query('DROP TABLE "messages"."idempotency_keys"');
  }
}
