import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { whileConnecting } from './failures.js';

/**
 * How long a caller waits for a connection before it is refused: as long as a statement may wait for a row, so that nobody
 * is refused for a disk or a processor that is slow for a moment. In parts, as timers come before sockets: a process that
 * stood still, on a machine with too much to do, would else refuse whoever has a connection waiting in a socket.
 */
const PATIENCE_MS = 2_000;
const PARTS = 2;

/** Connections that are made at once: more take longer, just when there is most to do. */
const MAKING_AT_ONCE = 4;

type Connected = (
  error: Error | undefined,
  client?: PoolClient,
  release?: (error?: Error | boolean) => void,
) => void;

interface Caller {
  connected: Connected;
  patience: NodeJS.Timeout | undefined;
}

/**
 * A pool whose callers wait 2 s, in the order in which they came, for whichever connection is free first; the making
 * of one may take the pool's whole `connectionTimeoutMillis`. `pg.Pool` makes one for each caller and binds them together:
 * on a busy machine callers would be refused beside connections that came free meanwhile, and, were the making given up
 * with its caller, every connection would be given up half-made.
 */
export class PatientPool extends Pool {
  private readonly waiting = new Set<Caller>();
  /** Idle connections that `pg.Pool` was asked for and has not handed out yet. */
  private taking = 0;
  private making = 0;

  constructor(options?: PoolConfig) {
    super(options);
    // It is told before the connection is idle.
    this.on('release', () => process.nextTick(() => this.serve()));
    this.on('remove', () => this.serve());
  }

  /** How many callers wait. (`waitingCount` is of `pg.Pool`'s own queue, where nobody stays.) */
  get callersWaiting(): number {
    return this.waiting.size;
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | undefined {
    if (!callback) {
      return new Promise((resolve, reject) => {
        this.connect((error, client) => (client ? resolve(client) : reject(error!)));
      });
    }
    const caller: Caller = { connected: callback, patience: undefined };
    this.waiting.add(caller);
    this.wait(caller, PARTS);
    this.serve();
    return undefined;
  }

  private wait(caller: Caller, parts: number): void {
    caller.patience = setTimeout(() => {
      if (parts > 1) this.wait(caller, parts - 1);
      else this.answer(caller, new Error('timeout exceeded when trying to connect'));
    }, PATIENCE_MS / PARTS);
  }

  /** Fetches connections for those who wait: idle ones, and new ones. */
  private serve(): void {
    while (this.taking < Math.min(this.waiting.size, this.idleCount)) {
      this.taking += 1;
      super.connect((...connected: Parameters<Connected>) => {
        this.taking -= 1;
        this.handOver(...connected);
      });
    }
    while (this.making < Math.min(MAKING_AT_ONCE, this.waiting.size - this.taking) && this.hasRoom()) {
      this.making += 1;
      super.connect((...connected: Parameters<Connected>) => {
        this.making -= 1;
        const [error] = connected;
        if (!error) {
          this.handOver(...connected);
          this.serve();
          // Who still has another connection to wait for waits.
        } else if (this.totalCount === 0) {
          for (const caller of this.waiting) this.answer(caller, whileConnecting(error));
        }
      });
    }
  }

  private hasRoom(): boolean {
    return !this.ending && this.totalCount < this.options.max;
  }

  private handOver(...[error, client, release]: Parameters<Connected>): void {
    const [first] = this.waiting;
    if (first) this.answer(first, error, client, release);
    else release?.();
  }

  private answer(caller: Caller, ...[error, client, release]: Parameters<Connected>): void {
    clearTimeout(caller.patience);
    this.waiting.delete(caller);
    caller.connected(error, client, release ?? (() => undefined));
  }
}
