import { readdir, readFile } from 'node:fs/promises';

export interface Resident {
  /** Each page of memory counted once, shared pages split among those who share them. */
  pss_mb: number;
  /** Shared pages counted for everyone who has them. */
  rss_mb: number;
}

/** Memory of a process and everything it has started (Linux). */
export async function residentOf(pid: number): Promise<Resident> {
  const parents = await parentOfEach();
  const family = [...parents.keys()].filter((one) => isWithin(one, pid, parents));
  const resident = await Promise.all(family.map(residentOfOne));
  return total(resident);
}

export function total(parts: Resident[]): Resident {
  return {
    pss_mb: parts.reduce((sum, { pss_mb }) => sum + pss_mb, 0),
    rss_mb: parts.reduce((sum, { rss_mb }) => sum + rss_mb, 0),
  };
}

async function residentOfOne(pid: number): Promise<Resident> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  const megabytes = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) / 1024;
  return { pss_mb: megabytes('Pss'), rss_mb: megabytes('Rss') };
}

async function parentOfEach(): Promise<Map<number, number>> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = new Map<number, number>();
  for (const pid of pids) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // The name before it is in parentheses and may hold anything.
    const parent = /^.*\) \S (\d+) /s.exec(stat)?.[1];
    if (parent) parents.set(Number(pid), Number(parent));
  }
  return parents;
}

function isWithin(pid: number, ancestor: number, parents: Map<number, number>): boolean {
  for (let current: number | undefined = pid; current; current = parents.get(current)) {
    if (current === ancestor) return true;
  }
  return false;
}
