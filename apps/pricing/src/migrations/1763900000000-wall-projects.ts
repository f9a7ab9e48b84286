import { maintenance, projectWall, withoutProjectWall } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

const SCHEMA = 'pricing';
const RIGHTS = {
  prices: 'SELECT, INSERT, UPDATE',
  changes: 'SELECT, INSERT',
  idempotency_keys: 'SELECT, INSERT, UPDATE, DELETE',
};

export class WallProjects1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      ...projectWall(SCHEMA, RIGHTS),
      ...maintenance({ schema: SCHEMA, table: 'changes', column: 'timestamp' }),
      `SELECT "${SCHEMA}"."maintain_changes"(NULL)`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of withoutProjectWall(SCHEMA, Object.keys(RIGHTS))) await runner.query(statement);
  }
}
