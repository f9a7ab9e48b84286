import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { freePort, prepareSchema } from '#embedded';
import { loadSecrets } from './secrets.js';
import { startServers, type Servers } from './servers.js';
import { type StartConfig } from './start.config.js';
import { SupervisedApp } from './supervised-app.js';

/** The services behind the gateway, and the schema that each calls its own. */
const SERVICES = [
  { name: 'activity-events', schema: 'activity_events' },
  { name: 'device-state', schema: 'device_state' },
] as const;
const GATEWAY = { name: 'gateway', schema: 'auth' } as const;

/** The whole of Flotilla on this machine: servers, migrations, each app as a process. */
export class Flotilla {
  private constructor(
    private readonly servers: Servers,
    private readonly apps: SupervisedApp[],
    readonly url: string,
    readonly directory: string,
  ) {}

  static async start(config: StartConfig): Promise<Flotilla> {
    const directory = resolve(config.FLOTILLA_DATA_DIR);
    const logs = join(directory, 'logs');
    await mkdir(logs, { recursive: true });
    const secrets = await loadSecrets(directory, config);
    const servers = await startServers(directory, config);
    const apps: SupervisedApp[] = [];
    try {
      const common = { NATS_URL: servers.nats_url, LOG_LEVEL: config.LOG_LEVEL, NODE_ENV: 'production' };
      await Promise.all(
        [...SERVICES, GATEWAY].map(async ({ name, schema }) => {
          const urls = await prepareSchema(servers.database_url, schema);
          await migrate(name, urls.owner);
          const own = name === 'gateway' ? { ...secrets, PORT: String(config.PORT) } : {};
          const environment = {
            ...common,
            ...own,
            DATABASE_URL: urls.service,
            HEALTH_PORT: String(await freePort()),
          };
          const app = new SupervisedApp({ name, directory: logs, environment });
          apps.push(app);
          await app.start();
        }),
      );
    } catch (error) {
      await Promise.all(apps.map((app) => app.stop()));
      await servers.stop();
      throw error;
    }
    return new Flotilla(servers, apps, `http://localhost:${config.PORT}`, directory);
  }

  /** Process ids by name, for whoever wants to watch or to break something. */
  get pids(): Record<string, number | undefined> {
    return Object.fromEntries(this.apps.map(({ name, pid }) => [name, pid]));
  }

  /** Apps first, so that they can finish what they have taken; then the servers they need for it. */
  async stop(): Promise<void> {
    await this.apps.find(({ name }) => name === GATEWAY.name)?.stop();
    await Promise.all(this.apps.map((app) => app.stop()));
    await this.servers.stop();
  }
}

async function migrate(app: string, url: string): Promise<void> {
  const script = join(import.meta.dirname, '..', 'apps', app, 'src', 'migrate.js');
  await promisify(execFile)(process.execPath, [script], { env: { ...process.env, DATABASE_URL: url } });
}
