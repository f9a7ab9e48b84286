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
  return (await prepareAppSchemas([app], admin_url, { password }))[app];
}

/** The same for several apps; `signal` gives it up. */
export async function prepareAppSchemas<App extends AppName>(
  apps: readonly App[],
  admin_url: string,
  { password, signal }: { password?: string; signal?: AbortSignal } = {},
): Promise<Record<App, string>> {
  const urls = await Promise.all(
    apps.map(async (app) => [app, await prepareSchema(admin_url, SCHEMAS[app], password)] as const),
  );
  const owners = Object.fromEntries(urls.map(([app, { owner }]) => [app, owner]));
  const script = join(import.meta.dirname, 'migrate-apps.js');
  await promisify(execFile)(process.execPath, [script], {
    env: { ...process.env, OWNER_DATABASE_URLS: JSON.stringify(owners) },
    signal,
  });
  return Object.fromEntries(urls.map(([app, { service }]) => [app, service])) as Record<App, string>;
}
