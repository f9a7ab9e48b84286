import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** For the timeline of a device; most messages are about none. */
export class IndexMessagesByDevice1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX "messages_by_device"
      ON "messages"."messages" ("project_id", "device_id", "created_at", "id") WHERE device_id IS NOT NULL`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "messages"."messages_by_device"');
  }
}
