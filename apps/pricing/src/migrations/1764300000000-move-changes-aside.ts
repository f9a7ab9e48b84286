import { maintenance } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

/** Rows move to a month that is added while others read and write, and what is over is dropped by itself. */
export class MoveChangesAside1764300000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    const table = { schema: 'pricing', table: 'changes', column: 'timestamp' };
    for (const statement of maintenance(table)) await runner.query(statement);
  }

  async down(): Promise<void> {
    // The function before did the same, only that all others waited.
  }
}
