import { cp, mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { restoreBaseBackup } from '#embedded';
import { loadConfig } from '#service';
import { BackupConfig } from './backup.config.js';
import { KEPT_FILES } from './kept-files.js';

/** `npm run restore -- <directory>`: a backup into a data directory without a Postgres; `npm start` then runs it. */
const source = process.argv[2];
try {
  if (source === undefined) throw new Error('Say where from: npm run restore -- <directory>');
  const directory = resolve(loadConfig(BackupConfig).FLOTILLA_DATA_DIR);
  const there = await readdir(source);
  const missing = KEPT_FILES.filter((name) => !there.includes(name));
  if (missing.length > 0)
    throw new Error(`${resolve(source)} is no copy of an embedded server: it has no ${missing.join(', ')}`);
  await mkdir(directory, { recursive: true });
  await restoreBaseBackup(resolve(source), directory);
  for (const name of KEPT_FILES) await cp(join(resolve(source), name), join(directory, name));
  console.log(`Restored into ${directory}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
