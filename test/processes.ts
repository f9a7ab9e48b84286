import { readdir, readFile } from 'node:fs/promises';

export interface ProcessInfo {
  pid: number;
  parent: number;
  command: string;
}

/** Every process of this machine that has not ended, from /proc. */
export async function processes(): Promise<ProcessInfo[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return { pid, parent: Number(parent), command: command.replaceAll('\0', ' '), state };
    }),
  );
  return found
    .filter(({ state, command }) => command !== '' && state !== 'Z')
    .map(({ pid, parent, command }) => ({ pid, parent, command }));
}

/** The children of a process, their children, and so on. */
export async function descendantsOf(ancestor: number): Promise<ProcessInfo[]> {
  const all = await processes();
  const below = (parent: number): ProcessInfo[] =>
    all.filter((one) => one.parent === parent).flatMap((one) => [one, ...below(one.pid)]);
  return below(ancestor);
}
