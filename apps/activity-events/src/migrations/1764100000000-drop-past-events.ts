import { maintenance } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** What is kept for a time is no longer locked each hour. */
export class DropPastEvents1764100000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const table = { schema: 'activity_events', table: 'events', column: 'occurred_at' };
    for (const statement of maintenance(table)) await runner.query(statement);
  }

  async down(): Promise<void> {
    // The function before did the same, only more often.
  }
}
