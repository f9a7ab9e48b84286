import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Claims a data directory for this process: two starts on one directory would stop each other's servers. A claim
 * whose process is gone counts for nothing. @throws an Error that names the holder
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const lock = join(directory, 'flotilla.pid');
  const claim = `${lock}.${process.pid}`;
  await writeFile(claim, `${process.pid} ${await birthOf(process.pid)}\n`);
  try {
    // A link appears with its content and never replaces another: of two starts one has it.
    while (!(await link(claim, lock).then(...given))) {
      const [pid, birth] = (await readFile(lock, 'utf8').catch(() => '')).trim().split(' ');
      if (pid && isRunning(Number(pid)) && (await birthOf(Number(pid))) === (birth ?? '')) {
        throw new Error(`${directory} is in use by process ${pid}: stop it, or set FLOTILLA_DATA_DIR`);
      }
      await rm(lock, { force: true });
    }
  } finally {
    await rm(claim, { force: true });
  }
  return () => rm(lock, { force: true });
}

const given = [
  () => true,
  (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return false;
    throw error;
  },
] as const;

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Tells a process from a later one of the same number: its start time, field 22 of proc(5); empty without /proc. */
async function birthOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
