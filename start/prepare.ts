import { prepareSchema } from '#embedded';
import { loadConfig, reasonOf } from '#service';
import { prepareAppSchema, SCHEMAS } from './app-schema.js';
import { PrepareConfig } from './prepare.config.js';

try {
  const { APP, DATABASE_URL, APP_DATABASE_URL, OWNER_DATABASE_URL } = loadConfig(PrepareConfig);
  const schema = SCHEMAS[APP];
  const password = passwordIn('APP_DATABASE_URL', APP_DATABASE_URL, schema);
  if (OWNER_DATABASE_URL === undefined) await prepareAppSchema(APP, DATABASE_URL, password);
  else {
    const owner_password = passwordIn('OWNER_DATABASE_URL', OWNER_DATABASE_URL, `${schema}_owner`);
    await prepareSchema(DATABASE_URL, schema, password, owner_password);
  }
} catch (error) {
  console.error(reasonOf(error));
  process.exit(1);
}

function passwordIn(setting: string, url: string, role: string): string {
  const { username, password } = new URL(url);
  if (decodeURIComponent(username) !== role || password === '')
    throw new Error(`${setting} must name the role ${role} and its password`);
  return decodeURIComponent(password);
}
