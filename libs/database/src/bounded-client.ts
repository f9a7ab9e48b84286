import { Client, type ClientConfig } from 'pg';
import { type Socket } from 'node:net';
import { instantOf, TIMESTAMPTZ } from './instant.js';

/** A server that is there answers within its `statement_timeout`; one that stays silent for a second longer is not. */
const SHORTEST_SILENCE_MS = 6_000;
const LATENESS_MS = 1_000;
/** How long the server may take to close a connection that was ended. */
const FAREWELL_MS = 1_000;

/** Settings with which "2xx means committed" is not true. */
const UNSAFE = `
  SELECT name || ' is ' || setting AS problem FROM pg_settings
  WHERE name IN ('fsync', 'full_page_writes') AND setting <> 'on'
     OR name = 'synchronous_commit' AND setting NOT IN ('on', 'remote_apply')`;

/**
 * A connection that gives a silent server up. A cable that was cut without a word, or a firewall that forgot the
 * connection, sends neither answer nor error, and the kernel waits a quarter of an hour: the statement and all who
 * queue behind it would wait as long, and so would a process that stops. Its rows have instants as `instantOf` writes them.
 */
export class BoundedClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    const { statement_timeout } = typeof config === 'object' ? config : {};
    const silence_ms = Math.max(SHORTEST_SILENCE_MS, Number(statement_timeout ?? 0) + LATENESS_MS);
    this.setTypeParser(TIMESTAMPTZ, instantOf);
    this.once('connect', () => {
      // Asked for only now, as TLS changes the socket.
      const { stream } = this.driver.connection;
      stream.setTimeout(silence_ms);
      // Also told of connections that have nothing to wait for, over and over: only a statement makes silence wrong.
      stream.on('timeout', () => {
        if (!this.driver.readyForQuery)
          stream.destroy(new Error('Connection terminated: the server is silent'));
      });
    });
  }

  /** To be run first: the server may be another than before. @throws when it may lose what it acknowledged */
  async requireDurability(): Promise<void> {
    const { rows } = await super.query<{ problem: string }>(UNSAFE);
    if (rows.length === 0) return;
    const problems = rows.map(({ problem }) => problem).join(', ');
    throw new Error(`Postgres may lose acknowledged writes: ${problems}`);
  }

  /** Resolves within a second or so, also when the server is silent. */
  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | undefined {
    const { stream } = this.driver.connection;
    const farewell = setTimeout(() => stream.destroy(), FAREWELL_MS).unref();
    stream.once('close', () => clearTimeout(farewell));
    if (!callback) return super.end();
    super.end(callback);
    return undefined;
  }

  /** What has no type: both are what the driver itself goes by. */
  private get driver(): { connection: { stream: Socket }; readyForQuery: boolean } {
    return this as never;
  }
}
