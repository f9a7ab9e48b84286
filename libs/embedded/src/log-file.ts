import { open, rename, stat, type FileHandle } from 'node:fs/promises';
import { ifMissing } from './if-missing.js';

const MOST_BYTES = 64 * 1024 * 1024;

/**
 * Opens the log of a process that starts, to be appended to. One of more than 64 MiB makes way as `<file>.1`, in place of
 * the one before it.
 */
export async function openLog(file: string): Promise<FileHandle> {
  const bytes = await stat(file).then(({ size }) => size, ifMissing(0));
  if (bytes > MOST_BYTES) await rename(file, `${file}.1`);
  return open(file, 'a', 0o600);
}
