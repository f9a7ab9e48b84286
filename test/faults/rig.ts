import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ANYTHING, EmbeddedNats, EmbeddedPostgres, freePort, NATS_USERS } from '#embedded';
import { loadConfig } from '#service';
import { eventually, Link, natsSieve, type Sieve } from '#testing';
import { prepareAppSchema, SCHEMAS, type AppName } from '../../start/app-schema.js';
import { loadSecrets, type Secrets } from '../../start/secrets.js';
import { StartConfig } from '../../start/start.config.js';
import { SupervisedApp } from '../../start/supervised-app.js';
import { KeptServer, signal } from './kept-server.js';
import { Volume } from './volume.js';

export const APPS = Object.keys(SCHEMAS) as AppName[];
/** The one app with a durable consumer: it makes events of the audit. */
export const CONSUMER: AppName = 'activity-events';

/** One process of an app, under the supervisor of `npm start`. */
export interface Replica {
  app: AppName;
  process: SupervisedApp;
  health_url: string;
  /** Where it serves the API; gateways only. */
  url?: string;
}

export interface RigOptions {
  directory: string;
  /** Settings of single apps on top of their own. */
  environment?: Partial<Record<AppName, Record<string, string>>>;
  tell: (line: string) => void;
}

const READY_MS = 120_000;
const POSTGRES_VOLUME_MB = 1024;
const NATS_VOLUME_MB = 640;
/** Of each feed, for all that is written in a run: six of them and one of dead letters are less than the volume. */
const FEED_MIB = 48;

/** All of Flotilla as processes, each cable between them in our hands. Only processes started here are ever signalled. */
export class Rig {
  replicas: Replica[] = [];
  /** Of all that were ever started, whether they belong to the rig or not. */
  private readonly processes: SupervisedApp[] = [];
  private isStopped = false;

  private constructor(
    readonly options: RigOptions,
    readonly secrets: Secrets,
    readonly postgres: KeptServer<EmbeddedPostgres>,
    readonly nats: KeptServer<EmbeddedNats>,
    readonly links: Record<AppName, { postgres: Link; nats: Link }>,
    /** What consumers of feeds say that they have done: whether it is lost, and how much was so far. */
    readonly acks: { areLost: boolean; lost: number },
    /** Where NATS has its configuration and JetStream's files. */
    readonly nats_directory: string,
    /** File systems of their own; undefined where they cannot be mounted. */
    readonly volumes: { postgres: Volume; nats: Volume } | undefined,
    private readonly service_urls: Record<AppName, string>,
  ) {}

  static async start(options: RigOptions): Promise<Rig> {
    const { directory, tell } = options;
    const logs = join(directory, 'logs');
    await mkdir(logs, { recursive: true });
    const volumes = await mountVolumes(directory, tell);
    const postgres = await KeptServer.start('postgres', (port) =>
      EmbeddedPostgres.start({
        directory: volumes?.postgres.directory ?? join(directory, 'postgres'),
        port,
        log: join(logs, 'postgres.log'),
        // What no commit waits for reaches the disk late: a power cut then shows who did not wait.
        settings: { max_wal_size: '256MB', shared_buffers: '64MB', wal_writer_delay: '10s' },
      }),
    );
    const nats_directory = volumes?.nats.directory ?? join(directory, 'nats');
    const users = [...NATS_USERS, ANYTHING];
    const nats = await KeptServer.start('nats-server', (port) =>
      EmbeddedNats.start({ directory: nats_directory, port, log: join(logs, 'nats.log'), users }),
    );
    const acks = { areLost: false, lost: 0 };
    const sieve = (): Sieve =>
      natsSieve((subject) => {
        const isLost = acks.areLost && subject.startsWith('$JS.ACK.');
        if (isLost) acks.lost += 1;
        return isLost;
      });
    const secrets = await loadSecrets(directory, loadConfig(StartConfig, {}));
    const prepared = await Promise.all(
      APPS.map(async (app) => ({
        app,
        url: await prepareAppSchema(app, postgres.running.url),
        links: {
          postgres: await Link.to(postgres.port),
          nats: await Link.to(nats.port, app === CONSUMER ? sieve : undefined),
        },
      })),
    );
    const links = Object.fromEntries(prepared.map((one) => [one.app, one.links])) as Rig['links'];
    const urls = Object.fromEntries(prepared.map((one) => [one.app, one.url])) as Rig['service_urls'];
    const rig = new Rig(options, secrets, postgres, nats, links, acks, nats_directory, volumes, urls);
    rig.replicas = await Promise.all(APPS.map((app) => rig.startReplica(app)));
    return rig;
  }

  /** One more process of an app; the caller decides whether it belongs to the rig, and may give it its own cable. */
  async startReplica(app: AppName, postgres = this.links[app].postgres): Promise<Replica> {
    const { directory, environment = {} } = this.options;
    const health_port = await freePort();
    const port = app === 'gateway' ? await freePort() : undefined;
    const process = new SupervisedApp({
      name: app,
      directory: join(directory, 'logs'),
      environment: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'info',
        FEED_MAX_MIB: String(FEED_MIB),
        NATS_URL: through(this.links[app].nats, this.nats.running.urlOf(app)),
        DATABASE_URL: through(postgres, this.service_urls[app]),
        HEALTH_PORT: String(health_port),
        ...(port && { PORT: String(port), RATE_LIMIT_REQUESTS: '1000000000', ...this.secrets }),
        ...environment[app],
      },
      // What breaks a rule is loaded before the modules that it changes.
      unbundled: environment[app] !== undefined,
    });
    if (this.isStopped) throw new Error('The rig has been stopped');
    this.processes.push(process);
    await process.start();
    return {
      app,
      process,
      health_url: `http://127.0.0.1:${health_port}`,
      ...(port && { url: `http://127.0.0.1:${port}` }),
    };
  }

  get gateways(): string[] {
    return this.replicas.flatMap(({ url }) => url ?? []);
  }

  /** The first process of an app. */
  of(app: AppName): Replica {
    return this.replicas.find((replica) => replica.app === app)!;
  }

  /** kill -9; its supervisor starts it again. */
  kill(replicas: readonly Replica[]): void {
    signal(
      replicas.flatMap(({ process }) => process.pid ?? []),
      'SIGKILL',
    );
  }

  /** Once these processes are ready, and the gateways among them see every service. Rejects after two minutes. */
  async ready(replicas?: readonly Replica[]): Promise<void> {
    await eventually(async () => {
      const urls = (replicas ?? this.replicas).flatMap(({ health_url, app }) => [
        `${health_url}/health/ready`,
        ...(app === 'gateway' ? [`${health_url}/health`] : []),
      ]);
      const answers = await Promise.all(urls.map(isOk));
      const missing = urls.filter((_, index) => !answers[index]);
      if (missing.length > 0)
        throw new Error(`not ready: ${missing.map((url) => this.nameOf(url)).join(', ')}`);
    }, READY_MS);
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    for (const { postgres, nats } of Object.values(this.links)) {
      postgres.heal();
      nats.heal();
    }
    await Promise.all(this.processes.map((process) => process.stop()));
    await Promise.all([this.postgres.stop(), this.nats.stop()]);
    for (const { postgres, nats } of Object.values(this.links)) {
      postgres.close();
      nats.close();
    }
    await this.volumes?.postgres.unmount();
    await this.volumes?.nats.unmount();
  }

  private nameOf(url: string): string {
    return this.replicas.find(({ health_url }) => url.startsWith(`${health_url}/`))!.app;
  }
}

async function mountVolumes(directory: string, tell: RigOptions['tell']): Promise<Rig['volumes']> {
  const loudly = (reason: string): void => tell(`no volume can be mounted: ${reason}`);
  const postgres = await Volume.mount(directory, 'postgres-volume', POSTGRES_VOLUME_MB, loudly);
  const nats = postgres && (await Volume.mount(directory, 'nats-volume', NATS_VOLUME_MB, loudly));
  return postgres && nats && { postgres, nats };
}

/** The same place, by way of the link. */
function through(link: Link, to: string): string {
  const url = new URL(to);
  url.port = String(link.port);
  return url.href;
}

async function isOk(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined);
  await answer?.arrayBuffer().catch(() => undefined);
  return answer?.ok ?? false;
}
