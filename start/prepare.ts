import { loadConfig } from '#service';
import { prepareAppSchema, SCHEMAS } from './app-schema.js';
import { PrepareConfig } from './prepare.config.js';

try {
  const { APP, DATABASE_URL, APP_DATABASE_URL } = loadConfig(PrepareConfig);
  const { username, password } = new URL(APP_DATABASE_URL);
  if (decodeURIComponent(username) !== SCHEMAS[APP] || password === '')
    throw new Error(`APP_DATABASE_URL must name the role ${SCHEMAS[APP]} and its password`);
  await prepareAppSchema(APP, DATABASE_URL, decodeURIComponent(password));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
