import { readdir, readFile } from 'node:fs/promises';

/** A process, as Linux tells of it in `/proc/<pid>/stat`. */
export interface ProcessStat {
  parent: number;
  /** Processor time so far, its own and that of the children it has waited for. */
  cpu_us: number;
}

/** A tick of `/proc/<pid>/stat` (USER_HZ), which is 100 a second wherever Node runs. */
const TICK_US = 10_000;

/** All processes of this machine by their ids; none where there is no `/proc`. */
export async function allProcesses(): Promise<Map<number, ProcessStat>> {
  const names = await readdir('/proc').catch((): string[] => []);
  const processes = new Map<number, ProcessStat>();
  for (const name of names.filter((each) => /^\d+$/.test(each))) {
    const text = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '');
    // The name is in parentheses and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    if (fields.length < 15) continue;
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
    processes.set(Number(name), { parent: Number(fields[1]), cpu_us: ticks * TICK_US });
  }
  return processes;
}

/** A process and everything it has started, as far as it runs. */
export function familyOf(pid: number, processes: Map<number, ProcessStat>): number[] {
  return [...processes.keys()].filter((one) => isWithin(one, pid, processes));
}

/** Processor time so far of a process and of everything it has started, what has ended included. */
export function cpuOf(pid: number, processes: Map<number, ProcessStat>): number {
  return familyOf(pid, processes).reduce((sum, one) => sum + processes.get(one)!.cpu_us, 0);
}

function isWithin(pid: number, ancestor: number, processes: Map<number, ProcessStat>): boolean {
  for (let current: number | undefined = pid; current; current = processes.get(current)?.parent) {
    if (current === ancestor) return true;
  }
  return false;
}
