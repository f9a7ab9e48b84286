import { maintenance, projectWall, searchableInScope, withoutProjectWall } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

const SCHEMA = 'activity_events';
const EVENTS = { schema: SCHEMA, table: 'events', column: 'occurred_at' };
const RIGHTS = { events: 'SELECT, INSERT', idempotency_keys: 'SELECT, INSERT, UPDATE, DELETE' };

export class WallProjects1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      ...projectWall(SCHEMA, RIGHTS),
      ...searchableInScope(SCHEMA, 'events'),
      ...maintenance(EVENTS),
      `SELECT "${SCHEMA}"."maintain_events"(NULL)`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP VIEW "${SCHEMA}"."events_in_scope"`);
    for (const statement of withoutProjectWall(SCHEMA, Object.keys(RIGHTS))) await runner.query(statement);
  }
}
