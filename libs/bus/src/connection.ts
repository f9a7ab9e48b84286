import { Logger } from '@nestjs/common';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { MAX_PAYLOAD_BYTES } from './wire.js';

export interface BusOptions {
  /** Name of the app: the queue group of its handlers, and how its connection shows in NATS. */
  name: string;
  /** Servers, separated by commas, with the same `user:password@` in each if any is needed. */
  url: string;
}

/** The one NATS connection of a process. It reconnects for ever, and says whether it stands right now. */
export class BusConnection {
  private readonly logger = new Logger(BusConnection.name);
  private readonly listeners = new Set<() => void>();
  private standing = true;

  private constructor(
    readonly nats: NatsConnection,
    readonly name: string,
  ) {
    void this.watch();
  }

  /** Waits for the first server, then checks that it lets our frames through. */
  static async open({ name, url }: BusOptions): Promise<BusConnection> {
    const servers = url.split(',').map((server) => new URL(server));
    const { username, password } = servers[0]!;
    const nats = await connect({
      name,
      servers: servers.map(({ protocol, host }) => `${protocol}//${host}`),
      ...(username && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
      inboxPrefix: `_INBOX_${name}`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 100,
      reconnectJitter: 100,
      waitOnFirstConnect: true,
      pingInterval: 5_000,
      maxPingOut: 2,
      timeout: 2_000,
    });
    const allowed = nats.info?.max_payload ?? 0;
    if (allowed < MAX_PAYLOAD_BYTES) {
      await nats.close();
      throw new Error(
        `NATS allows ${allowed} bytes a message; Flotilla needs max_payload: ${MAX_PAYLOAD_BYTES}`,
      );
    }
    return new BusConnection(nats, name);
  }

  get isStanding(): boolean {
    return this.standing && !this.nats.isClosed();
  }

  /** NATS as a part of an app's health and metrics. */
  readonly part = {
    name: 'nats',
    essential: true,
    check: (): Promise<void> => this.ping(),
    gauges: {
      nats_messages_received: {
        help: 'Messages since the start.',
        read: (): number => this.nats.stats().inMsgs,
      },
      nats_messages_sent: {
        help: 'Messages since the start.',
        read: (): number => this.nats.stats().outMsgs,
      },
      nats_bytes_received: { help: 'Bytes since the start.', read: (): number => this.nats.stats().inBytes },
      nats_bytes_sent: { help: 'Bytes since the start.', read: (): number => this.nats.stats().outBytes },
    },
  };

  /** Resolves when the server answers. */
  async ping(): Promise<void> {
    if (!this.isStanding) throw new Error('NATS is not connected');
    await this.nats.rtt();
  }

  /** Runs `listener` whenever the connection is lost: what was under way will have no answer. */
  onLost(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Sends what is waiting, then closes. Harmless when repeated or already cut off. */
  async close(): Promise<void> {
    if (this.nats.isClosed()) return;
    if (this.standing) await this.nats.drain().catch(() => this.nats.close());
    else await this.nats.close();
  }

  private async watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      const { type } = status;
      if (type === 'error') this.logger.error(status.error);
      else if (type === 'disconnect' && this.standing) {
        this.standing = false;
        this.logger.warn('NATS is gone');
        for (const listener of this.listeners) listener();
      } else if (type === 'reconnect') {
        this.standing = true;
        this.logger.log('NATS is back');
      }
    }
  }
}
