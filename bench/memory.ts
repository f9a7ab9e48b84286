import { readFile } from 'node:fs/promises';
import { allProcesses, familyOf } from './process-tree.js';

export interface Resident {
  /** Each page of memory counted once, shared pages split among those who share them. */
  pss_mb: number;
  /** Shared pages counted for everyone who has them. */
  rss_mb: number;
}

/** Memory of a process and everything it has started (Linux). */
export async function residentOf(pid: number): Promise<Resident> {
  return total(await Promise.all(familyOf(pid, await allProcesses()).map(residentOfOne)));
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
