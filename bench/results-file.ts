import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { markdown, type Report } from './report.js';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'bench', 'results');

/** Writes what a run has found so far: it outlives whatever comes next. */
export async function saveReport(report: Report): Promise<void> {
  const file = join(DIRECTORY, `${report.day}-${report.what}.md`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.part`, markdown(report));
  await rename(`${file}.part`, file);
}
