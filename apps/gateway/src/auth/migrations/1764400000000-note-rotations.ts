import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class NoteRotations1764400000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "auth"."keys" ADD COLUMN "rotated_at" timestamptz(3)');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "auth"."keys" DROP COLUMN "rotated_at"');
  }
}
