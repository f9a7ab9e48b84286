import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** For the timeline of a project; that of a device goes by the key. */
export class IndexFirmwareEventsByTime1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX "firmware_events_by_time"
      ON "firmware"."firmware_events" ("project_id", "timestamp", "id")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "firmware"."firmware_events_by_time"');
  }
}
