import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

export interface ChildOptions {
  name: string;
  /** Path of the script below `dist/bundles`: a contender is built as the product is. */
  script: string;
  environment: Record<string, string>;
  /** File with Node's own options. */
  node_env: string;
  /** Where its output goes. */
  directory: string;
}

/** A contender's process. It says over IPC that it serves, and is never started again: a death is a result. */
export class Child {
  private constructor(
    readonly name: string,
    private readonly process: ChildProcess,
  ) {}

  static async start({ name, script, environment, node_env, directory }: ChildOptions): Promise<Child> {
    const file = join(directory, `${name}.log`);
    const log = await open(file, 'a', 0o600);
    const child = fork(join(import.meta.dirname, '..', 'bundles', script), [], {
      env: { ...process.env, ...environment },
      execArgv: [`--env-file=${node_env}`],
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    await log.close();
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(() => {
        throw new Error(`${name} ended at its start, see ${file}`);
      }),
    ]);
    return new Child(name, child);
  }

  get pid(): number {
    return this.process.pid!;
  }

  async stop(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const ended = once(this.process, 'exit');
    this.process.kill('SIGTERM');
    const timer = setTimeout(() => this.process.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }
}
