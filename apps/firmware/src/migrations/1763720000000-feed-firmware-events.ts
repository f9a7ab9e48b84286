import { feedColumn } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class FeedFirmwareEvents1763720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of feedColumn('firmware', 'firmware_events')) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "firmware"."firmware_events" DROP COLUMN "transaction_id"');
  }
}
