import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { openLog } from '#embedded';

export interface AppOptions {
  name: string;
  directory: string;
  environment: Record<string, string>;
  /** Runs the modules that its bundle is made of: slower to load, but one can be changed from outside, and a profile tells them apart. */
  unbundled?: boolean;
}

const DIST = join(import.meta.dirname, '..');
const ROOT = join(DIST, '..');
/** What V8 made of the sources at an earlier start: with it, an app serves the sooner. */
const COMPILE_CACHE = join(ROOT, 'node_modules', '.cache', 'flotilla');
/** Heaps of the C library, each of which keeps what is freed in it: by itself it makes up to eight per processor. */
export const MALLOC_ARENA_MAX = '2';
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** An app that served this long before it died did not die of its start. */
const STEADY_MS = 10_000;
const STOP_TIMEOUT_MS = 20_000;

/** One app as a process of its own, started again whenever it dies. */
export class SupervisedApp {
  private child?: ChildProcess;
  private pause_ms = FIRST_PAUSE_MS;
  private stopping = false;

  constructor(private readonly options: AppOptions) {}

  get name(): string {
    return this.options.name;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Resolves when the app serves; rejects when it ends before that. */
  async start(): Promise<void> {
    const { name, directory, environment, unbundled = false } = this.options;
    const log = await openLog(join(directory, `${name}.log`));
    // Told to stop while the file was being opened: nobody would stop a child that came after that.
    if (this.stopping) return log.close();
    const started = Date.now();
    const child = fork(join(DIST, unbundled ? '' : 'bundles', 'apps', name, 'src', 'main.js'), [], {
      env: { NODE_COMPILE_CACHE: COMPILE_CACHE, MALLOC_ARENA_MAX, ...process.env, ...environment },
      cwd: ROOT,
      execArgv: [`--env-file=apps/${name}/node.env`],
      // A group of its own: Ctrl-C reaches the supervisor, which then stops its parts in order.
      detached: true,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    await log.close();
    this.child = child;
    child.once('exit', () => {
      this.child = undefined;
      if (Date.now() - started > STEADY_MS) this.pause_ms = FIRST_PAUSE_MS;
      if (!this.stopping && child.listenerCount('message') === 0) this.startAgain();
    });
    const serving = new AbortController();
    try {
      await Promise.race([
        once(child, 'message', serving),
        once(child, 'exit', serving).then(() => {
          throw new Error(`${name} ended at its start, see ${join(directory, `${name}.log`)}`);
        }),
      ]);
    } finally {
      serving.abort();
      child.removeAllListeners('message');
    }
  }

  async stop(): Promise<void> {
    this.stopping = true;
    const child = this.child;
    if (!child) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await ended;
    clearTimeout(timer);
  }

  private startAgain(): void {
    console.error(`${this.name} died; starting it again`);
    setTimeout(() => {
      if (this.stopping) return;
      this.start().catch(() => this.stopping || this.startAgain());
    }, this.pause_ms);
    this.pause_ms = Math.min(this.pause_ms * 2, LONGEST_PAUSE_MS);
  }
}
