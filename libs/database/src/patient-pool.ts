import { Pool, type PoolClient, type PoolConfig } from 'pg';

/**
 * How long a caller waits for a connection before it is refused: in parts, as timers come before sockets. A process that
 * stood still, on a machine with too much to do, would else refuse whoever has a connection waiting in a socket.
 */
const PATIENCE_MS = 500;
const PARTS = 2;

type Connected = (
  error: Error | undefined,
  client: PoolClient | undefined,
  // There is none for who was refused while the pool was full.
  release?: (error?: Error | boolean) => void,
) => void;

interface Caller {
  connected: Connected;
  patience: NodeJS.Timeout | undefined;
}

/**
 * A pool whose callers wait 500 ms, in the order in which they came, for whichever connection is free first; the making
 * of one may take the pool's whole `connectionTimeoutMillis`. Were who asks bound to the connection that is made for it,
 * as in `pg.Pool`, then on a busy machine it would be refused beside connections that came free meanwhile; and were the
 * making given up with its caller, then after a restart of Postgres every connection would be given up half-made.
 */
export class PatientPool extends Pool {
  private readonly waiting = new Set<Caller>();
  /** Connections that `pg.Pool` was asked for and has not answered about. */
  private asked = 0;

  constructor(options?: PoolConfig) {
    super(options);
    this.on('release', () => {
      process.nextTick(() => {
        if (this.waiting.size > 0 && this.idleCount > 0) this.ask();
      });
    });
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
    this.ask();
    return undefined;
  }

  private wait(caller: Caller, parts: number): void {
    caller.patience = setTimeout(() => {
      if (parts > 1) {
        this.wait(caller, parts - 1);
        return;
      }
      this.waiting.delete(caller);
      caller.connected(new Error('timeout exceeded when trying to connect'), undefined, () => undefined);
    }, PATIENCE_MS / PARTS);
  }

  private ask(): void {
    this.asked += 1;
    const answered: Connected = (error, client, release) => {
      this.asked -= 1;
      const [first] = this.waiting;
      // Who waits is told of a connection that failed when there is no other to wait for.
      if (!first || (error && this.asked >= this.waiting.size)) {
        release?.();
        return;
      }
      clearTimeout(first.patience);
      this.waiting.delete(first);
      first.connected(error, client, release);
    };
    super.connect(answered);
  }
}
