import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class NumberLeads1764200000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      'ALTER TABLE "pricing"."archive_position" ADD COLUMN "leads" bigint NOT NULL DEFAULT 0',
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "pricing"."archive_position" DROP COLUMN "leads"');
  }
}
