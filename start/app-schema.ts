import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { prepareSchema } from '#embedded';

/** The apps, and the schema that each calls its own. */
export const SCHEMAS = {
  gateway: 'auth',
  'activity-events': 'activity_events',
  'device-state': 'device_state',
  firmware: 'firmware',
  pricing: 'pricing',
  messages: 'messages',
} as const;

export type AppName = keyof typeof SCHEMAS;

/** Makes an app's schema and its roles, and brings the schema up to date. @returns the URL that the app runs with */
export async function prepareAppSchema(app: AppName, admin_url: string, password?: string): Promise<string> {
  const { owner, service } = await prepareSchema(admin_url, SCHEMAS[app], password);
  const script = join(import.meta.dirname, '..', 'apps', app, 'src', 'migrate.js');
  await promisify(execFile)(process.execPath, [script], { env: { ...process.env, DATABASE_URL: owner } });
  return service;
}
