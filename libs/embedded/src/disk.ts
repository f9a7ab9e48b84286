import { cp, open } from 'node:fs/promises';
import { join } from 'node:path';

/** Puts a file, or the names in a directory, on the disk. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync();
  await file.close();
}

/** Copies files of these names from one directory to another, onto the disk. */
export async function copyFiles(names: readonly string[], from: string, to: string): Promise<void> {
  for (const name of names) {
    await cp(join(from, name), join(to, name));
    await sync(join(to, name));
  }
}
