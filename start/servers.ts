import { join } from 'node:path';
import { EmbeddedNats, EmbeddedPostgres } from '#embedded';
import { type StartConfig } from './start.config.js';

export interface Servers {
  database_url: string;
  nats_url: string;
  stop(): Promise<void>;
}

interface Embedded {
  url: string;
  port: number;
  process: { onDeath(listener: () => void): void };
  stop(): Promise<void>;
}

interface Supervised {
  url: string;
  stop(): Promise<void>;
}

/** Postgres and NATS: those of the configuration, or embedded ones that are started again when they die. */
export async function startServers(directory: string, config: StartConfig): Promise<Servers> {
  const logs = join(directory, 'logs');
  const [postgres, nats] = await allOrNone([
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
  ]);
  return {
    database_url: config.DATABASE_URL ?? postgres!.url,
    nats_url: config.NATS_URL ?? nats!.url,
    async stop() {
      await nats?.stop();
      await postgres?.stop();
    },
  };
}

/** A server that has started is stopped again when the other cannot start. */
async function allOrNone<T extends Supervised>(
  starting: (Promise<T> | undefined)[],
): Promise<(T | undefined)[]> {
  const all = starting.map((one) => Promise.resolve(one));
  const outcomes = await Promise.allSettled(all);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return Promise.all(all);
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value?.stop();
  throw failed.reason;
}

async function supervise(name: string, start: (port?: number) => Promise<Embedded>): Promise<Supervised> {
  let stopping = false;
  let current = await start();
  const { url, port } = current;
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
        current = await start(port);
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
    url,
    async stop() {
      stopping = true;
      await restarting;
      await current.stop();
    },
  };
}
