import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { freePort } from '#embedded';
import { prepareAppSchemas, SCHEMAS, type AppName } from './app-schema.js';
import { lockDirectory } from './directory-lock.js';
import { loadSecrets } from './secrets.js';
import { startServers, type Servers } from './servers.js';
import { type StartConfig } from './start.config.js';
import { SupervisedApp, type AppOptions } from './supervised-app.js';

const APPS = Object.keys(SCHEMAS) as AppName[];
const SLOW_START_MS = 15_000;

/** The whole of Flotilla on this machine: servers, migrations, each app as a process. */
export class Flotilla {
  private constructor(
    private readonly servers: Servers,
    private readonly apps: SupervisedApp[],
    private readonly unlock: () => Promise<void>,
    readonly url: string,
    readonly directory: string,
  ) {}

  /** `signal` gives up the start, whatever it waits for: what has begun is stopped. @throws the signal's reason then */
  static async start(
    config: StartConfig,
    signal: AbortSignal,
    { unbundled }: Pick<AppOptions, 'unbundled'> = {},
  ): Promise<Flotilla> {
    const givenUp = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
    givenUp.catch(() => undefined);
    const directory = resolve(config.FLOTILLA_DATA_DIR);
    const logs = join(directory, 'logs');
    await mkdir(logs, { recursive: true });
    const unlock = await lockDirectory(directory);
    let apps: SupervisedApp[] = [];
    let servers: Servers | undefined;
    try {
      const secrets = await loadSecrets(directory, config);
      const { database_url, natsUrlOf } = (servers = await startServers(directory, config, signal));
      const common = { LOG_LEVEL: config.LOG_LEVEL, NODE_ENV: 'production' };
      const prepared = prepareAppSchemas(APPS, database_url, { signal });
      const service_urls = await Promise.race([prepared, givenUp]);
      apps = await Promise.all(
        APPS.map(async (name) => {
          const own = name === 'gateway' ? { ...secrets, PORT: String(config.PORT) } : {};
          const environment = {
            ...common,
            ...own,
            NATS_URL: natsUrlOf(name),
            DATABASE_URL: service_urls[name],
            HEALTH_PORT: String(await freePort()),
          };
          return new SupervisedApp({ name, directory: logs, environment, unbundled });
        }),
      );
      const slow = setTimeout(
        () => console.error(`The apps do not serve yet: see ${logs} for what they wait for`),
        SLOW_START_MS,
      );
      const serving = Promise.all(apps.map((app) => app.start()));
      await Promise.race([serving, givenUp]).finally(() => clearTimeout(slow));
    } catch (error) {
      await Promise.all(apps.map((app) => app.stop()));
      await servers?.stop();
      await unlock();
      throw error;
    }
    return new Flotilla(servers, apps, unlock, `http://localhost:${config.PORT}`, directory);
  }

  /** Process ids by name, for whoever wants to watch or to break something. */
  get pids(): Record<string, number | undefined> {
    return Object.fromEntries(this.apps.map(({ name, pid }) => [name, pid]));
  }

  /** Apps first, so that they can finish what they have taken; then the servers they need for it. */
  async stop(): Promise<void> {
    await this.apps.find(({ name }) => name === 'gateway')?.stop();
    await Promise.all(this.apps.map((app) => app.stop()));
    await this.servers.stop();
    await this.unlock();
  }
}
