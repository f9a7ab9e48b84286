import { maintenance, projectWall, withoutProjectWall } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

const SCHEMA = 'firmware';
const RIGHTS = {
  firmware_events: 'SELECT, INSERT',
  devices: 'SELECT, INSERT, UPDATE',
  adoption_changes: 'SELECT, INSERT, UPDATE, DELETE',
  idempotency_keys: 'SELECT, INSERT, UPDATE, DELETE',
};

export class WallProjects1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      ...projectWall(SCHEMA, RIGHTS),
      ...maintenance({ schema: SCHEMA, table: 'firmware_events', column: 'timestamp' }),
      `SELECT "${SCHEMA}"."maintain_firmware_events"(NULL)`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of withoutProjectWall(SCHEMA, Object.keys(RIGHTS))) await runner.query(statement);
  }
}
