import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { copyFiles, sync, takeBaseBackup, urlOfRunning } from '#embedded';
import { loadConfig, reasonOf } from '#service';
import { BackupConfig } from './backup.config.js';
import { KEPT_FILES } from './kept-files.js';

/** `npm run backup -- <directory>`: what Postgres holds while it runs, and the keys of `npm start` where it is embedded. */
const target = process.argv[2];
try {
  if (target === undefined) throw new Error('Say where to: npm run backup -- <directory>');
  const { FLOTILLA_DATA_DIR, DATABASE_URL } = loadConfig(BackupConfig);
  const directory = resolve(FLOTILLA_DATA_DIR);
  const url = DATABASE_URL ?? (await urlOfRunning(directory));
  // The directory appears whole or not at all, also where the power goes.
  const aside = `${resolve(target)}.partial`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await takeBaseBackup(url, aside);
  if (DATABASE_URL === undefined) await copyFiles(KEPT_FILES, directory, aside);
  await sync(aside);
  await rename(aside, resolve(target));
  await sync(dirname(resolve(target)));
  const keys = DATABASE_URL === undefined ? 'It holds keys: keep' : 'It holds no keys, copy them too. Keep';
  console.log(`Backed up to ${resolve(target)}. ${keys} it where nobody else reads.`);
} catch (error) {
  console.error(reasonOf(error));
  process.exit(1);
}
