import { join } from 'node:path';
import { EmbeddedNats, EmbeddedPostgres } from '#embedded';
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

/** Postgres and NATS: those of the configuration, or embedded ones that are started again when they die. */
export async function startServers(directory: string, config: StartConfig): Promise<Servers> {
  const logs = join(directory, 'logs');
  const [postgres, nats] = await bothOrNone(
    config.DATABASE_URL
      ? undefined
      : supervise('postgres', (port) =>
          EmbeddedPostgres.start({ directory, port, log: join(logs, 'postgres.log') }),
        ),
    config.NATS_URL
      ? undefined
      : supervise('nats-server', (port) =>
          EmbeddedNats.start({ directory: join(directory, 'nats'), port, log: join(logs, 'nats.log') }),
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
  start: (port?: number) => Promise<Server>,
): Promise<Supervised<Server>> {
  let stopping = false;
  let current = await start();
  const first = current;
  let restarting: Promise<void> | undefined;
  const watch = (): void =>
    current.process.onDeath(() => {
      if (stopping) return;
      console.error(`${name} died; starting it again`);
      restarting = again();
    });
  const again = async (): Promise<void> => {
    while (!stopping) {
      try {
        current = await start(first.port);
        watch();
        return;
      } catch (error) {
        console.error(error instanceof Error ? error.message : error);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    }
  };
  watch();
  return {
    first,
    async stop() {
      stopping = true;
      await restarting;
      await current.stop();
    },
  };
}
