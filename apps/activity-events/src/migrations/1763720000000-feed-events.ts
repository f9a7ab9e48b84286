import { feedColumn } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class FeedEvents1763720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of feedColumn('activity_events', 'events')) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "activity_events"."events" DROP COLUMN "transaction_id"');
  }
}
