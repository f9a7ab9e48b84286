import { Pool, type PoolClient } from 'pg';

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

/**
 * A pool whose callers wait 500 ms, while the making of a connection may take the pool's whole `connectionTimeoutMillis`.
 * Were it given up with its caller, then on a busy machine, after a restart of Postgres, every connection would be
 * given up half-made and begun anew by the next caller: none would ever stand.
 */
export class PatientPool extends Pool {
  override connect(): Promise<PoolClient>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): Promise<PoolClient> | undefined {
    if (!callback) {
      return new Promise((resolve, reject) => {
        this.connect((error, client) => (client ? resolve(client) : reject(error!)));
      });
    }
    let isWaiting = true;
    const wait = (parts: number): NodeJS.Timeout =>
      setTimeout(() => {
        if (parts > 1) patience = wait(parts - 1);
        else {
          isWaiting = false;
          callback(new Error('timeout exceeded when trying to connect'), undefined, () => undefined);
        }
      }, PATIENCE_MS / PARTS);
    let patience = wait(PARTS);
    const connected: Connected = (error, client, release) => {
      clearTimeout(patience);
      if (isWaiting) callback(error, client, release);
      else release?.();
    };
    super.connect(connected);
    return undefined;
  }
}
