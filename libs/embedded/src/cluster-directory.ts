import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sync } from './disk.js';
import { ifMissing } from './if-missing.js';
import { giveToUnprivilegedUser } from './unprivileged.js';

const NAME = 'postgres';
const ASIDE = `${NAME}.partial-`;

/** Where the cluster of a data directory is. */
export const clusterIn = (directory: string): string => join(directory, NAME);

/**
 * Makes the cluster of a data directory, which appears whole or not at all: `fill` is given a directory beside it.
 * What an attempt that was killed has left is removed. @throws an Error where there is a cluster already
 */
export async function makeCluster(directory: string, fill: (aside: string) => Promise<void>): Promise<void> {
  const cluster = clusterIn(directory);
  if ((await readdir(cluster).catch(ifMissing([]))).length > 0) throw new Error(`${cluster} is not empty`);
  for (const name of await readdir(directory)) {
    if (name.startsWith(ASIDE)) {
      // An initdb may have outlived its parent, and still write there.
      await rm(join(directory, name), { recursive: true, force: true, maxRetries: 10 });
    }
  }
  // Of its own for each attempt: it would meet in it what such an initdb writes, or removes as it fails.
  const aside = await mkdtemp(join(directory, ASIDE));
  await giveToUnprivilegedUser(aside);
  await fill(aside);
  await rename(aside, cluster);
  await sync(directory);
}
