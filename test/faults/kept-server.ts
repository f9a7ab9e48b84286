import { type EmbeddedNats, type EmbeddedPostgres } from '#embedded';
import { eventually } from '#testing';
import { descendantsOf, processes } from '../processes.js';

type Embedded = EmbeddedNats | EmbeddedPostgres;

const RESTART_MS = 30_000;

/** Postgres or NATS, which dies and freezes as it is told, and comes back on its port, until it is stopped. */
export class KeptServer<Server extends Embedded> {
  private isStopped = false;
  private coming?: Promise<unknown>;

  private constructor(
    readonly name: string,
    private server: Server,
    private readonly start: (port: number) => Promise<Server>,
  ) {}

  static async start<Server extends Embedded>(
    name: string,
    start: (port?: number) => Promise<Server>,
  ): Promise<KeptServer<Server>> {
    return new KeptServer(name, await start(), start);
  }

  /** What runs now. */
  get running(): Server {
    return this.server;
  }

  get port(): number {
    return this.server.port;
  }

  get pid(): number {
    return this.server.process.pid;
  }

  get isAlive(): boolean {
    try {
      return process.kill(this.pid, 0);
    } catch {
      return false;
    }
  }

  /** It and what it has started, parents first: a parent that stands still starts no more. */
  async family(): Promise<number[]> {
    return [this.pid, ...(await descendantsOf(this.pid)).map(({ pid }) => pid)];
  }

  freeze(): Promise<void> {
    return freeze(this);
  }

  async thaw(): Promise<void> {
    signal(await this.family(), 'SIGCONT');
  }

  /** kill -9 of the server alone; resolves when its children have noticed and gone. */
  async kill(): Promise<void> {
    const family = await this.family();
    signal([this.pid], 'SIGKILL');
    await gone(family);
  }

  /** kill -9 of the server and its children at the same moment. */
  async killFamily(): Promise<void> {
    await this.freeze();
    const family = await this.family();
    signal(family, 'SIGKILL');
    await gone(family);
  }

  /** Once it serves again; tries as often as it takes. */
  async restart(): Promise<void> {
    await eventually(async () => {
      if (this.isStopped) return;
      const starting = this.start(this.port);
      this.coming = starting;
      this.server = await starting;
    }, RESTART_MS);
  }

  /** For good: a fault that is under way brings it back no more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    await this.coming?.catch(() => undefined);
    await this.server.stop();
  }
}

/** All of these at one moment; also what was being started just then, and can be seen only afterwards. */
export async function freeze(...servers: readonly Pick<KeptServer<Embedded>, 'family'>[]): Promise<void> {
  const frozen = new Set<number>();
  for (;;) {
    const families = await Promise.all(servers.map((server) => server.family()));
    const moving = families.flat().filter((pid) => !frozen.has(pid));
    if (moving.length === 0) return;
    signal(moving, 'SIGSTOP');
    for (const pid of moving) frozen.add(pid);
  }
}

/** Who has gone meanwhile needs no signal. */
export function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

async function gone(pids: readonly number[]): Promise<void> {
  await eventually(async () => {
    const alive = new Set((await processes()).map(({ pid }) => pid));
    return !pids.some((pid) => alive.has(pid));
  }, RESTART_MS);
}
