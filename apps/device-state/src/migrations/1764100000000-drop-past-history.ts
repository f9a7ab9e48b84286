import { maintenance } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What is kept for a time is no longer locked each hour. */
export class DropPastHistory1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const table = { schema: 'device_state', table: 'history', column: 'recorded_at' };
    for (const statement of maintenance(table)) await runner.query(statement);
  }

  async down(): Promise<void> {
    // The function before did the same, only more often.
  }
}
