import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** For the timeline of a project; that of a device goes by the key. */
export class IndexHistoryByTime1763800000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX "history_by_time"
      ON "device_state"."history" ("project_id", "recorded_at", "device_id", "entry")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP INDEX "device_state"."history_by_time"');
  }
}
