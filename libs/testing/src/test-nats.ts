import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedNats } from '#embedded';

export interface TestNats {
  url: string;
  /** kill -9, then the same server again on the same port. */
  crash(): Promise<{ restart(): Promise<void> }>;
  stop(): Promise<void>;
}

/** A real nats-server of its own, so that test files never answer each other's calls. */
export async function testNats(): Promise<TestNats> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-'));
  let server = await EmbeddedNats.start({ directory });
  const { url, port } = server;
  return {
    url,
    async crash() {
      const died = new Promise<void>((resolve) => server.process.onDeath(resolve));
      process.kill(server.process.pid, 'SIGKILL');
      await died;
      return {
        async restart() {
          server = await EmbeddedNats.start({ directory, port });
        },
      };
    },
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
