import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { EmbeddedNats, EmbeddedPostgres } from '#embedded';
import { reasonOf } from '#service';
import { type StartConfig } from './start.config.js';

export interface Servers {
  database_url: string;
  natsUrlOf: (app: string) => string;
  stop(): Promise<void>;
}

interface Embedded {
  port: number;
  process: { onDeath(listener: () => void): void };
  stop(): Promise<void>;
}

interface Supervised<Server> {
  /** As it was first started: a later one is like it. */
  first: Server;
  stop(): Promise<void>;
}

/**
 * Postgres and NATS: those of the configuration, or embedded ones that are started again when they die. `signal` gives
 * up the start.
 */
export async function startServers(
  directory: string,
  config: StartConfig,
  signal: AbortSignal,
): Promise<Servers> {
  const logs = join(directory, 'logs');
  const [postgres, nats] = await bothOrNone(
    config.DATABASE_URL
      ? undefined
      : supervise('postgres', signal, (options) =>
          EmbeddedPostgres.start({ directory, log: join(logs, 'postgres.log'), ...options }),
        ),
    config.NATS_URL
      ? undefined
      : supervise('nats-server', signal, (options) =>
          EmbeddedNats.start({ directory: join(directory, 'nats'), log: join(logs, 'nats.log'), ...options }),
        ),
  );
  return {
    database_url: config.DATABASE_URL ?? postgres!.first.url,
    natsUrlOf: (app) => config.NATS_URL ?? nats!.first.urlOf(app),
    async stop() {
      await nats?.stop();
      await postgres?.stop();
    },
  };
}

/** A server that has started is stopped again when the other cannot start. */
async function bothOrNone<One, Other>(
  one: Promise<Supervised<One>> | undefined,
  other: Promise<Supervised<Other>> | undefined,
): Promise<[Supervised<One> | undefined, Supervised<Other> | undefined]> {
  const both = [Promise.resolve(one), Promise.resolve(other)] as const;
  const outcomes = await Promise.allSettled(both);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return Promise.all(both);
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value?.stop();
  throw failed.reason;
}

async function supervise<Server extends Embedded>(
  name: string,
  signal: AbortSignal,
  start: (options: { signal: AbortSignal; port?: number }) => Promise<Server>,
): Promise<Supervised<Server>> {
  let current = await start({ signal });
  const first = current;
  const stopping = new AbortController();
  let restarting: Promise<void> | undefined;
  const watch = (): void =>
    current.process.onDeath(() => {
      if (stopping.signal.aborted) return;
      console.error(`${name} died; starting it again`);
      restarting = again();
    });
  const again = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        current = await start({ signal: stopping.signal, port: first.port });
        watch();
        return;
      } catch (error) {
        if (error !== stopping.signal.reason) console.error(reasonOf(error));
        await setTimeout(1_000, undefined, stopping).catch(() => undefined);
      }
    }
  };
  watch();
  return {
    first,
    async stop() {
      stopping.abort();
      await restarting;
      await current.stop();
    },
  };
}
