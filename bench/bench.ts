import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import {
  ANYTHING,
  EmbeddedNats,
  EmbeddedPostgres,
  freePort,
  prepareSchema,
  type SchemaUrls,
} from '#embedded';
import { loadConfig } from '#service';
import { SCHEMAS } from '../start/app-schema.js';
import { Flotilla } from '../start/flotilla.js';
import { StartConfig } from '../start/start.config.js';
import { type AppOptions } from '../start/supervised-app.js';
import { Child } from './child.js';
import { create } from './create.js';
import { LOAD_GENERATOR, together, usedBetween, type CpuTimes } from './cpu.js';
import { residentOf, total, type Resident } from './memory.js';
import { type BenchOptions } from './options.js';
import { allProcesses, cpuOf } from './process-tree.js';

/** Who writes and reads in a suite: every contender takes this key for this project. */
export interface BenchProject {
  id: string;
  key: string;
}

const DURABLE = ['fsync', 'synchronous_commit', 'full_page_writes'];
/** At rest is who uses less than this share of a processor for so long. */
const REST_MS = 150;
const REST_SHARE = 0.2;
const REST_TIMEOUT_MS = 60_000;

/** One Postgres, one NATS and one Flotilla, and processes beside them to compare with. */
export class Bench {
  /** What all preparations so far have taken, in seconds. */
  prepared_s = 0;
  private readonly children = new Set<Child>();

  private constructor(
    readonly options: BenchOptions,
    readonly directory: string,
    readonly postgres: EmbeddedPostgres,
    readonly nats: EmbeddedNats,
    /** The product, every app of it, as `npm start` runs it, but for what `startFlotilla` lifts. */
    readonly flotilla: Flotilla,
    /** Flotilla's database, as the superuser. */
    readonly database_url: string,
  ) {}

  static async start(options: BenchOptions, app: Pick<AppOptions, 'unbundled'> = {}): Promise<Bench> {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-bench-'));
    const postgres = await EmbeddedPostgres.start({ directory, log: join(directory, 'postgres.log') });
    const nats = await EmbeddedNats.start({
      directory: join(directory, 'nats'),
      log: join(directory, 'nats.log'),
      users: [ANYTHING],
    });
    try {
      await refuseUnlessDurable(postgres.url);
      const database_url = await createDatabase(postgres.url, 'flotilla');
      const flotilla = await startFlotilla(directory, database_url, nats.urlOf(ANYTHING.name), app);
      await mkdir(join(directory, 'contenders'));
      return new Bench(options, directory, postgres, nats, flotilla, database_url);
    } catch (error) {
      await nats.stop();
      await postgres.stop();
      throw error;
    }
  }

  /** A new project of Flotilla's, with the key of its admin. */
  async project(name: string): Promise<BenchProject> {
    const { url } = this.flotilla;
    const operator = await this.secret('operator');
    type Created = { id: string; admin_key: string };
    const { id, admin_key } = await create<Created>(url, operator, '/v1/projects', { name });
    return { id, key: admin_key };
  }

  secret(name: 'operator' | 'admin' | 'secret'): Promise<string> {
    return readFile(join(this.flotilla.directory, `${name}.key`), 'utf8').then((text) => text.trim());
  }

  /** Empties the product's tables, but for projects and keys: what a suite finds does not depend on those before it. */
  async empty(): Promise<void> {
    await this.rest();
    await withClient(this.database_url, async (client) => {
      const { rows } = await client.query<{ name: string }>(
        `SELECT oid::regclass::text AS name FROM pg_class
         WHERE relnamespace = ANY ($1::text[]::regnamespace[]) AND relkind IN ('r', 'p') AND NOT relispartition
           AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = pg_class.oid AND attname = 'project_id')`,
        [Object.values(SCHEMAS).filter((schema) => schema !== 'auth')],
      );
      await client.query(`TRUNCATE ${rows.map(({ name }) => name).join(', ')}`);
      await client.query('CHECKPOINT');
    });
  }

  /** Says how long a preparation takes, and leaves nobody at work. */
  async prepare<T>(what: string, work: () => Promise<T>): Promise<T> {
    const startedAt = performance.now();
    const prepared = await work();
    await this.rest();
    const seconds = (performance.now() - startedAt) / 1_000;
    this.prepared_s += seconds;
    console.error(`  ${what}: prepared in ${seconds.toFixed(1)} s`);
    return prepared;
  }

  /** A database of a contender's own, holding the same tables as the app's own migrations make them. */
  async databaseLike(app: string, schema: string, name: string): Promise<SchemaUrls & { admin: string }> {
    const admin = await createDatabase(this.postgres.url, name);
    const urls = await prepareSchema(admin, schema);
    const script = join(import.meta.dirname, '..', 'bundles', 'apps', app, 'src', 'migrate.js');
    await promisify(execFile)(process.execPath, [script], {
      env: { ...process.env, DATABASE_URL: urls.owner },
    });
    return { ...urls, admin };
  }

  /** A contender's process, of the bundle `dist/bundles/<script>`; it listens on `port`. */
  async child(
    name: string,
    script: string,
    environment: Record<string, string>,
    node_env = 'bench/baselines/node.env',
  ): Promise<{ url: string; stop(): Promise<void> }> {
    const port = await freePort();
    const child = await Child.start({
      name,
      script,
      node_env,
      directory: join(this.directory, 'contenders'),
      environment: {
        NODE_ENV: 'production',
        LOG_LEVEL: 'error',
        PORT: String(port),
        HEALTH_PORT: '0',
        ...environment,
      },
    });
    this.children.add(child);
    return {
      url: `http://127.0.0.1:${port}`,
      stop: async () => {
        await child.stop();
        this.children.delete(child);
      },
    };
  }

  async stopContenders(): Promise<void> {
    await Promise.all([...this.children].map((child) => child.stop()));
    this.children.clear();
  }

  /** Memory of the product and of its servers, by process. */
  async resident(): Promise<{ parts: (Resident & { name: string })[]; all: Resident }> {
    const parts = await Promise.all(
      this.productPids().map(async ([name, pid]) => ({ name, ...(await residentOf(pid)) })),
    );
    return { parts, all: total(parts) };
  }

  /** Processor time so far of everything that may be at work; of nothing where there is no `/proc`. */
  async cpuTimes(): Promise<CpuTimes> {
    const processes = await allProcesses();
    if (processes.size === 0) return new Map();
    const contenders = [...this.children].map(({ name, pid }): [string, number] => [name, pid]);
    const times: [string, number][] = [...this.productPids(), ...contenders].map(([name, pid]) => [
      name,
      cpuOf(pid, processes),
    ]);
    return new Map([...times, [LOAD_GENERATOR, processes.get(process.pid)!.cpu_us]]);
  }

  /** Waits until nobody is at work any more: a feed or autovacuum, say, would be in the way of whoever comes next. */
  async rest(): Promise<void> {
    for (const deadline = Date.now() + REST_TIMEOUT_MS; Date.now() < deadline;) {
      const before = await this.cpuTimes();
      await new Promise((resolve) => setTimeout(resolve, REST_MS));
      if (together(usedBetween(before, await this.cpuTimes())) / 1_000 <= REST_MS * REST_SHARE) return;
    }
    console.error(`  Still at work after ${REST_TIMEOUT_MS / 1_000} s`);
  }

  private productPids(): [string, number][] {
    const apps = Object.entries(this.flotilla.pids).filter(
      (entry): entry is [string, number] => entry[1] !== undefined,
    );
    return [...apps, ['nats-server', this.nats.process.pid], ['postgres', this.postgres.process.pid]];
  }

  async stop(): Promise<void> {
    await this.stopContenders();
    await this.flotilla.stop();
    await this.nats.stop();
    await this.postgres.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

async function startFlotilla(
  directory: string,
  database_url: string,
  nats_url: string,
  app: Pick<AppOptions, 'unbundled'>,
): Promise<Flotilla> {
  // One key makes all requests here, some of one route: such limits would be what is measured. The apps inherit this.
  process.env.RATE_LIMIT_REQUESTS = '1000000000';
  process.env.PRICING_IN_FLIGHT = '1000000';
  const config = loadConfig(StartConfig, {
    PORT: String(await freePort()),
    FLOTILLA_DATA_DIR: join(directory, 'flotilla'),
    DATABASE_URL: database_url,
    NATS_URL: nats_url,
    LOG_LEVEL: 'error',
  });
  return Flotilla.start(config, new AbortController().signal, app);
}

export async function createDatabase(server_url: string, name: string): Promise<string> {
  const url = new URL(server_url);
  url.pathname = `/${name}`;
  await withClient(server_url, (client) => client.query(`CREATE DATABASE "${name}"`));
  return url.href;
}

/** A connection for as long as `work` takes. */
export async function withClient<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** What is fast because it may be lost is not compared here. */
async function refuseUnlessDurable(url: string): Promise<void> {
  await withClient(url, async (client) => {
    for (const name of DURABLE) {
      const { rows } = await client.query<Record<string, string>>(`SHOW ${name}`);
      const setting = rows[0]![name]!;
      if (setting !== 'on') throw new Error(`Postgres is not durable: ${name} is ${setting}`);
      console.error(`${name} = ${setting}`);
    }
  });
}
