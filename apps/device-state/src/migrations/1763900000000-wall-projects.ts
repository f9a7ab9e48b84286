import { maintenance, projectWall, withoutProjectWall } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

const SCHEMA = 'device_state';
const RIGHTS = {
  states: 'SELECT, INSERT, UPDATE',
  history: 'SELECT, INSERT',
  idempotency_keys: 'SELECT, INSERT, UPDATE, DELETE',
};

export class WallProjects1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      ...projectWall(SCHEMA, RIGHTS),
      ...maintenance({ schema: SCHEMA, table: 'history', column: 'recorded_at' }),
      `SELECT "${SCHEMA}"."maintain_history"(NULL)`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of withoutProjectWall(SCHEMA, Object.keys(RIGHTS))) await runner.query(statement);
  }
}
