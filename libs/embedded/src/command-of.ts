import { readFile } from 'node:fs/promises';

/** The program and the arguments of a process; none when it is gone, or where there is no /proc. */
export async function commandOf(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
}
