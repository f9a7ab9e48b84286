import { maintenance, projectWall, withoutProjectWall } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

const SCHEMA = 'messages';
const RIGHTS = {
  messages: 'SELECT, INSERT, DELETE',
  conversations: 'SELECT, INSERT, UPDATE',
  idempotency_keys: 'SELECT, INSERT, UPDATE, DELETE',
};

export class WallProjects1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      ...projectWall(SCHEMA, RIGHTS),
      ...maintenance({ schema: SCHEMA, table: 'messages', column: 'created_at' }),
      `SELECT "${SCHEMA}"."maintain_messages"(NULL)`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of withoutProjectWall(SCHEMA, Object.keys(RIGHTS))) await runner.query(statement);
  }
}
