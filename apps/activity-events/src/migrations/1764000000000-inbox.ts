import { inboxTable } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class Inbox1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(inboxTable('activity_events'));
    await runner.query('REVOKE UPDATE, DELETE ON "activity_events"."inbox" FROM "activity_events"');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "activity_events"."inbox"');
  }
}
