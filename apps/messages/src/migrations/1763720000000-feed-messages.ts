import { feedColumn } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class FeedMessages1763720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of feedColumn('messages', 'messages')) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "messages"."messages" DROP COLUMN "transaction_id"');
  }
}
