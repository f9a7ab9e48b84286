import { feedColumn, projectWall } from '#database';
import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class AuditEntries1764000000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE TABLE "auth"."audit_entries" (
      "project_id" uuid NOT NULL,
      "id" uuid NOT NULL,
      "at" timestamptz(3) NOT NULL,
      "action" text NOT NULL,
      "subject_id" text NOT NULL,
      "subject" text NOT NULL,
      "device_id" text,
      "who" json NOT NULL,
      "origin" json NOT NULL,
      "details" json NOT NULL,
      CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("project_id", "id")
    )`);
    for (const statement of [
      ...feedColumn('auth', 'audit_entries'),
      ...projectWall('auth', { audit_entries: 'SELECT, INSERT' }),
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('DROP TABLE "auth"."audit_entries"');
  }
}
