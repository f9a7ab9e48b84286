import { spawn, type ChildProcess } from 'node:child_process';
import { openLog } from './log-file.js';

export interface ServerProcessOptions {
  name: string;
  command: string;
  args: string[];
  stopSignal: NodeJS.Signals;
  log?: string;
  /** Asked again and again until it says yes. */
  ready: () => Promise<boolean>;
  /** Stops it before it is ready; the start then fails with the signal's reason. */
  signal?: AbortSignal;
}

/** After a power cut Postgres reads up to 1 GB of WAL before it answers: killed meanwhile, it would begin anew. */
const START_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 15_000;

/**
 * A server that is not ours, as a child in a process group of its own: a Ctrl-C in the terminal reaches us and
 * not it, so that what depends on it can finish first.
 */
export class ServerProcess {
  private stopping = false;

  private constructor(
    private readonly child: ChildProcess,
    private readonly options: ServerProcessOptions,
  ) {}

  static async start(options: ServerProcessOptions): Promise<ServerProcess> {
    const output = options.log ? await openLog(options.log) : undefined;
    const child = spawn(options.command, options.args, {
      cwd: '/',
      detached: true,
      stdio: ['ignore', output?.fd ?? 'ignore', output?.fd ?? 'ignore'],
    });
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(
          new Error(
            `${options.name} ended at its start (${code ?? signal!})${options.log ? `, see ${options.log}` : ''}`,
          ),
        ),
      );
    });
    failed.catch(() => undefined);
    await output?.close();
    const server = new ServerProcess(child, options);
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!(await Promise.race([options.ready(), failed]))) {
      if (options.signal?.aborted) {
        await server.stop();
        options.signal.throwIfAborted();
      }
      if (Date.now() > deadline) {
        child.kill('SIGKILL');
        throw new Error(`${options.name} did not answer within ${START_TIMEOUT_MS / 1000} s`);
      }
      await Promise.race([new Promise((resolve) => setTimeout(resolve, 25)), failed]);
    }
    return server;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Runs `listener` when the process ends without having been asked to. */
  onDeath(listener: () => void): void {
    this.child.once('exit', () => {
      if (!this.stopping) listener();
    });
  }

  async stop(): Promise<void> {
    this.stopping = true;
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill(this.options.stopSignal);
    const timer = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }
}
