import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const DIRECTORY = join(import.meta.dirname, '..', '..', 'bench', 'results');

/** Writes what a run has found so far, whole or not at all: it outlives whatever comes next. */
export async function saveResult(name: string, text: string): Promise<void> {
  const file = join(DIRECTORY, `${name}.md`);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}
