import { Logger } from '@nestjs/common';
import {
  AuthorizationError,
  connect,
  deadline,
  nkeyAuthenticator,
  type Msg,
  type NatsConnection,
  type NodeConnectionOptions,
  PermissionViolationError,
  type ServerInfo,
  type Subscription,
} from '@nats-io/transport-node';
import { BusMeters, type MeterRegistry } from './bus-meters.js';
import { type SayLine } from './followed-call.js';
import { MAX_PAYLOAD_BYTES } from './wire.js';

/** Who connects to NATS, and where. */
export interface BusOptions {
  /** Name of the app: the queue group of its handlers, and how its connection shows in NATS. */
  name: string;
  /**
   * Servers, separated by commas, with the same `user:password@` in each if any is needed, or the seed of an nkey
   * (`SU…@`). `tls://` refuses a server without TLS.
   */
  url: string;
}

const FIRST_CONNECT_WAIT_MS = 500;
/** A server that is there answers a ping within. */
const ANSWER_MS = 1_000;
/** After which a subject that the server refused is asked for again. */
const HEAR_AGAIN_MS = 2_000;

const logger = new Logger('BusConnection');

/** The one NATS connection of a process. It reconnects for ever, and says whether it stands right now. */
export class BusConnection {
  private readonly listeners = new Set<() => void>();
  private readonly hearings = new Set<{ subject: string; again: () => void }>();
  /** What the server has not let this app hear, as far as is known. */
  private readonly refused = new Set<string>();
  private standing = true;
  /** Nothing is counted until the app has metrics. */
  meters?: BusMeters;
  /** Takes a line of the log about each call; none unless the log is to tell of each. */
  say?: SayLine;

  private constructor(
    readonly nats: NatsConnection,
    readonly name: string,
  ) {
    void this.watch();
  }

  /**
   * Waits for the first server, saying why, then checks that it is one that Flotilla can run on.
   * @throws AuthorizationError for one that does not know this app
   */
  static async open({ name, url }: BusOptions): Promise<BusConnection> {
    const servers = url.split(',').map((server) => new URL(server));
    const { username, password, protocol } = servers[0]!;
    const isSeed = username.startsWith('SU') && password === '';
    const nats = await firstConnected({
      name,
      servers: servers.map(({ protocol, host }) => `${protocol}//${host}`),
      ...(isSeed
        ? { authenticator: nkeyAuthenticator(new TextEncoder().encode(username)) }
        : username && { user: decodeURIComponent(username), pass: decodeURIComponent(password) }),
      ...(protocol === 'tls:' && { tls: {} }),
      inboxPrefix: `_INBOX_${name}`,
      maxReconnectAttempts: -1,
      // A server that does not know this app for a while, e.g. with users of before, is no reason to give up for good.
      ignoreAuthErrorAbort: true,
      reconnectTimeWait: 100,
      reconnectJitter: 100,
      pingInterval: 5_000,
      maxPingOut: 2,
      timeout: 2_000,
    });
    const problem = problemOf(nats.info!);
    if (problem !== undefined) {
      await nats.close();
      throw new Error(problem);
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
    measure: (registry: MeterRegistry): void => {
      this.meters = new BusMeters(registry);
    },
    narrate: (say: SayLine): void => {
      this.say = say;
    },
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

  /** Resolves when the server answers. @throws an Error when it takes longer than a second, or refuses what this app hears */
  async ping(): Promise<void> {
    if (!this.isStanding) throw new Error('NATS is not connected');
    await deadline(this.nats.rtt(), ANSWER_MS);
    if (this.refused.size > 0) throw new Error(`NATS refuses ${[...this.refused].join(', ')}`);
  }

  /**
   * Takes what is said on a subject, as one of a queue group if told. A server that refuses, e.g. because its users were
   * changed for a moment, ends a subscription for good: it is asked again.
   * @returns what ends it: nothing comes any more, and what has come is taken
   */
  hear(subject: string, receive: (message: Msg) => void, queue?: string): () => Promise<void> {
    const subscribe = (): Subscription =>
      this.nats.subscribe(subject, {
        queue,
        callback: (error, message) => {
          if (!error) receive(message);
        },
      });
    let subscription = subscribe();
    const again = (): void => {
      subscription.unsubscribe();
      subscription = subscribe();
    };
    const hearing = { subject, again };
    this.hearings.add(hearing);
    return async () => {
      this.hearings.delete(hearing);
      if (this.isStanding && !subscription.isClosed()) await subscription.drain();
    };
  }

  /** Runs `listener` whenever the connection is lost: what was under way will have no answer. */
  onLost(listener: () => void): void {
    this.listeners.add(listener);
  }

  /**
   * Asks the server something. The client itself would wait for an answer that never comes.
   * @throws an Error at once when the connection is away, or as soon as it is lost
   */
  async ask<T>(question: () => Promise<T>): Promise<T> {
    const gone = new Error('NATS is gone');
    if (!this.isStanding) throw gone;
    const { promise: loss, reject } = Promise.withResolvers<never>();
    const lost = (): void => reject(gone);
    this.listeners.add(lost);
    try {
      return await Promise.race([loss, question()]);
    } finally {
      this.listeners.delete(lost);
    }
  }

  /** Sends what is waiting, then closes. Harmless when repeated or already cut off. */
  async close(): Promise<void> {
    if (this.nats.isClosed()) return;
    if (this.standing) await this.nats.drain().catch(() => this.nats.close());
    else await this.nats.close();
  }

  /** A subscription itself may not be told: the client does not know one of a queue group that is refused later on. */
  private hearAgain(error: Error): void {
    if (!(error instanceof PermissionViolationError) || error.operation !== 'subscription') return;
    this.refused.add(error.subject);
    setTimeout(() => {
      if (this.nats.isClosed()) return;
      // A server that still refuses says so before it answers the next ping.
      this.refused.delete(error.subject);
      for (const { subject, again } of this.hearings) if (subject === error.subject) again();
    }, HEAR_AGAIN_MS).unref();
  }

  private async watch(): Promise<void> {
    for await (const status of this.nats.status()) {
      const { type } = status;
      if (type === 'error') {
        logger.error(status.error);
        this.hearAgain(status.error);
      } else if (type === 'disconnect' && this.standing) {
        this.standing = false;
        logger.warn('NATS is gone');
        for (const listener of this.listeners) listener();
      } else if (type === 'reconnect') {
        this.standing = true;
        logger.log('NATS is back');
      }
    }
  }
}

/** The client itself would wait without a word, whether for a server that starts or for one whose certificate it refuses. */
async function firstConnected(options: NodeConnectionOptions): Promise<NatsConnection> {
  for (let said: string | undefined; ;) {
    try {
      return await connect(options);
    } catch (error) {
      if (error instanceof AuthorizationError) throw error;
      const { message } = error as Error;
      // Not by the logger: what an app logs before it serves is kept back until then.
      if (message !== said) console.error(`NATS cannot be reached yet: ${message}`);
      said = message;
      await new Promise((resolve) => setTimeout(resolve, FIRST_CONNECT_WAIT_MS));
    }
  }
}

const OLDEST_VERSION = [2, 11] as const;

/** Why Flotilla cannot run on a server, in a line; undefined when it can. What `sync_interval` is no client is told. */
export function problemOf({
  version,
  jetstream = false,
  max_payload,
}: Pick<ServerInfo, 'version' | 'jetstream' | 'max_payload'>): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldest_major, oldest_minor] = OLDEST_VERSION;
  if (major < oldest_major || (major === oldest_major && minor < oldest_minor)) {
    return `NATS is ${version}; Flotilla needs ${OLDEST_VERSION.join('.')} or newer`;
  }
  if (!jetstream) return 'NATS has JetStream off; Flotilla needs jetstream { sync_interval: always }';
  if (max_payload < MAX_PAYLOAD_BYTES) {
    return `NATS allows ${max_payload} bytes a message; Flotilla needs max_payload: ${MAX_PAYLOAD_BYTES}`;
  }
  return undefined;
}
