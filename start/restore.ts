import { mkdir, readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { restoreBaseBackup } from '#embedded';
import { loadConfig, reasonOf } from '#service';
import { BackupConfig } from './backup.config.js';
import { lockDirectory } from './directory-lock.js';
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
  const unlock = await lockDirectory(directory);
  await restoreBaseBackup(resolve(source), directory, KEPT_FILES);
  await unlock();
  console.log(`Restored into ${directory}.`);
} catch (error) {
  console.error(reasonOf(error));
  process.exit(1);
}
