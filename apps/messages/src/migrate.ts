import { migrate } from '#database';
import { loadConfig, MigrationConfig } from '#service';
import { ENTITIES, SCHEMA } from './messages.entity.js';
import { MIGRATIONS } from './migrations/index.js';

await migrate(
  { schema: SCHEMA, url: loadConfig(MigrationConfig).DATABASE_URL, entities: ENTITIES },
  MIGRATIONS,
);
