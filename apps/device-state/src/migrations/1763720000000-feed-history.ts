import { feedColumn } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class FeedHistory1763720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of feedColumn('device_state', 'history')) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "device_state"."history" DROP COLUMN "transaction_id"');
  }
}
