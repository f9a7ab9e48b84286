import { rm } from 'node:fs/promises';

export default async function tearDown() {
  const { directory, postgres } = globalThis.flotillaTestRun;
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
}
