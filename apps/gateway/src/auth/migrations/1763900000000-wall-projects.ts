import { projectWall, searchableInScope, withoutProjectWall } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

const SCHEMA = 'auth';
const RIGHTS = {
  members: 'SELECT, INSERT, UPDATE, DELETE',
  devices: 'SELECT, INSERT, UPDATE, DELETE',
  keys: 'SELECT, INSERT, UPDATE',
  idempotency_keys: 'SELECT, INSERT, UPDATE, DELETE',
};
const PROJECTS = { projects: 'SELECT, INSERT, UPDATE' };

export class WallProjects1763900000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      ...projectWall(SCHEMA, RIGHTS),
      ...projectWall(SCHEMA, PROJECTS, 'id'),
      ...searchableInScope(SCHEMA, 'devices'),
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP VIEW "${SCHEMA}"."devices_in_scope"`);
    for (const statement of withoutProjectWall(SCHEMA, Object.keys({ ...RIGHTS, ...PROJECTS }))) {
      await runner.query(statement);
    }
  }
}
