import { DataSource } from 'typeorm';
import { withinProjects } from '#contracts';
import { Database, dataSourceOptions } from '#database';
import { loadConfig, reasonOf } from '#service';
import { AdminKeyConfig } from './admin-key.config.js';
import { giveToOldestAdmin, rowOf } from './auth/admin-key.js';
import { INSTANCE, recordChanges } from './auth/audit-trail.js';
import { ENTITIES, SCHEMA } from './auth/auth.entity.js';
import { randomKey } from './auth/key-format.js';
import { ProjectsRepository } from './auth/projects.repository.js';

/** `node admin-key.js <project id>`: a new key of the oldest admin of a project that nobody can open. Printed once. */
try {
  const { DATABASE_URL, KEY_SECRET } = loadConfig(AdminKeyConfig);
  const project_id = process.argv[2];
  if (project_id === undefined) throw new Error('Say for which project: node admin-key.js <project id>');
  const options = dataSourceOptions({ schema: SCHEMA, url: DATABASE_URL, entities: ENTITIES });
  const source = await new DataSource(options).initialize();
  const projects = new ProjectsRepository(new Database(source));
  const key = randomKey('member');
  try {
    await withinProjects(
      () => [project_id],
      () =>
        source.transaction(async (manager) => {
          await projects.find(manager, project_id, true);
          const change = await giveToOldestAdmin(manager, project_id, rowOf(KEY_SECRET, key));
          if (!change) throw new Error('The project has no admin');
          await recordChanges(manager, INSTANCE, [change]);
        }),
    );
  } finally {
    await source.destroy();
  }
  console.log(key);
} catch (error) {
  console.error(reasonOf(error));
  process.exit(1);
}
