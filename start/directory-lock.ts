import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const CLAIM = /^flotilla\.(\d+)\.pid$/;

/**
 * Claims a data directory for this process: two starts on one directory would stop each other's servers. A claim
 * whose process is gone counts for nothing. @throws an Error that names the holder
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const nth = (number: number): string => join(directory, `flotilla.${number}.pid`);
  const claim = join(directory, `flotilla.pid.${process.pid}`);
  await writeFile(claim, `${process.pid} ${await birthOf(process.pid)}\n`);
  try {
    for (;;) {
      // Claims are numbered, and the last one holds. It is never removed: whoever finds its process gone would otherwise
      // remove the claim of another who found the same.
      const last = Math.max(...(await claimsIn(directory)));
      const [pid, birth] = (await readFile(nth(last), 'utf8').catch(() => '')).trim().split(' ');
      if (pid && isRunning(Number(pid)) && (await birthOf(Number(pid))) === (birth ?? '')) {
        throw new Error(`${directory} is in use by process ${pid}: stop it, or set FLOTILLA_DATA_DIR`);
      }
      // A link appears with its content and never replaces another: of two starts one has it.
      if (!(await link(claim, nth(last + 1)).then(...given))) continue;
      const claims = await claimsIn(directory);
      // Else another has had the same number, and the next was given before this one was removed.
      if (Math.max(...claims) > last + 1) continue;
      for (const earlier of claims) if (earlier <= last) await rm(nth(earlier), { force: true });
      return () => writeFile(nth(last + 1), '');
    }
  } finally {
    await rm(claim, { force: true });
  }
}

/** Numbers of the claims, and 0. */
async function claimsIn(directory: string): Promise<number[]> {
  return [0, ...(await readdir(directory)).map((name) => Number(CLAIM.exec(name)?.[1] ?? 0))];
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
