import { type MigrationInterface, type QueryRunner } from 'typeorm';

export class NumberChanges1763720000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "pricing"."changes"
      ALTER COLUMN "transaction_id" SET DEFAULT pg_current_xact_id()::text::bigint`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE "pricing"."changes" ALTER COLUMN "transaction_id" DROP DEFAULT');
  }
}
