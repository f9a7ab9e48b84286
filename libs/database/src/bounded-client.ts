import { Client, type ClientConfig } from 'pg';
import { type Socket } from 'node:net';

/** A server that is there answers within its `statement_timeout`; one that stays silent for longer is not. */
const SILENCE_MS = 6_000;

/**
 * A connection that gives a silent server up. A cable that was cut without a word, or a firewall that forgot the
 * connection, sends neither answer nor error, and the kernel waits a quarter of an hour: the statement and all who
 * queue behind it would wait as long.
 */
export class BoundedClient extends Client {
  constructor(config?: string | ClientConfig) {
    super(config);
    this.once('connect', () => {
      // Asked for only now, as TLS changes the socket. Neither has a type: both are what the driver itself goes by.
      const { connection } = this as unknown as { connection: { stream: Socket } };
      connection.stream.setTimeout(SILENCE_MS);
      // Also told of connections that have nothing to wait for, over and over: only a statement makes silence wrong.
      connection.stream.on('timeout', () => {
        const { readyForQuery } = this as unknown as { readyForQuery: boolean };
        if (!readyForQuery)
          connection.stream.destroy(new Error('Connection terminated: the server is silent'));
      });
    });
  }
}
