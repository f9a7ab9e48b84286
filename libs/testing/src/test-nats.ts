import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANYTHING, EmbeddedNats, NATS_USERS } from '#embedded';

export interface TestNats {
  /** For whoever stands outside of the system: it may do anything. */
  url: string;
  /** For an app, with its rights and no more. */
  urlOf(app: string): string;
  /** kill -9, then the same server again on the same port; without these apps among its users, if told. */
  crash(): Promise<{ restart(strangers?: string[]): Promise<void> }>;
  /** The server goes on with another configuration: what `change` makes of the one that it was started with. */
  reconfigure(change?: (configuration: string) => string): Promise<void>;
  stop(): Promise<void>;
}

/** A real nats-server of its own, so that test files never answer each other's calls. */
export async function testNats(): Promise<TestNats> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-'));
  const users = [...NATS_USERS, ANYTHING];
  let server = await EmbeddedNats.start({ directory, users });
  const { port } = server;
  const configuration = join(directory, 'nats.conf');
  const configured = await readFile(configuration, 'utf8');
  return {
    url: server.urlOf(ANYTHING.name),
    urlOf: (app) => server.urlOf(app),
    async crash() {
      const died = new Promise<void>((resolve) => server.process.onDeath(resolve));
      process.kill(server.process.pid, 'SIGKILL');
      await died;
      return {
        async restart(strangers = []) {
          const known = users.filter(({ name }) => !strangers.includes(name));
          server = await EmbeddedNats.start({ directory, port, users: known });
        },
      };
    },
    async reconfigure(change = (unchanged) => unchanged) {
      await writeFile(configuration, change(configured));
      process.kill(server.process.pid, 'SIGHUP');
    },
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
