import { type MigrationInterface, type QueryRunner } from 'typeorm';

/**
 * A gateway of the version before looks at the revisions of keys alone: once a project is deleted, it gets no lease any
 * more, and asks for each key.
 */
export class ReviseProjects1764500000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      'ALTER TABLE "auth"."projects" ADD COLUMN "revision" bigint NOT NULL DEFAULT 0',
      'CREATE INDEX "projects_by_revision" ON "auth"."projects" ("revision")',
      'ALTER TABLE "auth"."gateways" ADD COLUMN "follows_projects" boolean NOT NULL DEFAULT false',
      'ALTER TABLE "auth"."gateways" ENABLE ROW LEVEL SECURITY',
      `CREATE POLICY "follows_projects" ON "auth"."gateways" TO "auth" USING (true)
       WITH CHECK ("follows_projects" OR NOT EXISTS (SELECT FROM "auth"."projects" WHERE "revision" > 0))`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const statement of [
      'DROP POLICY "follows_projects" ON "auth"."gateways"',
      'ALTER TABLE "auth"."gateways" DISABLE ROW LEVEL SECURITY',
      'ALTER TABLE "auth"."gateways" DROP COLUMN "follows_projects"',
      'ALTER TABLE "auth"."projects" DROP COLUMN "revision"',
    ]) {
      await runner.query(statement);
    }
  }
}
