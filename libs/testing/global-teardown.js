import { rm } from 'node:fs/promises';

export default async function tearDown() {
  const { directory, servers } = globalThis.flotillaTestRun;
  await Promise.all(servers.map((server) => server.stop()));
  await rm(directory, { recursive: true, force: true });
}
