import { randomBytes } from 'node:crypto';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ifMissing } from '#embedded';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { type StartConfig } from './start.config.js';

export interface Secrets {
  KEY_SECRET: string;
  FLOTILLA_OPERATOR_KEY: string;
  FLOTILLA_ADMIN_KEY: string;
}

/**
 * The instance's secrets: as configured, else as kept in the data directory, else made now.
 * @throws an Error for another KEY_SECRET than the one with which all keys are hashed
 */
export async function loadSecrets(directory: string, config: StartConfig): Promise<Secrets> {
  return {
    KEY_SECRET: await keepForGood(join(directory, 'secret.key'), config.KEY_SECRET, () =>
      randomBytes(32).toString('hex'),
    ),
    FLOTILLA_OPERATOR_KEY: await keep(join(directory, 'operator.key'), config.FLOTILLA_OPERATOR_KEY, () =>
      randomKey('operator'),
    ),
    FLOTILLA_ADMIN_KEY: await keep(join(directory, 'admin.key'), config.FLOTILLA_ADMIN_KEY, () =>
      randomKey('member'),
    ),
  };
}

async function keepForGood(
  file: string,
  configured: string | undefined,
  make: () => string,
): Promise<string> {
  const value = await keep(file, undefined, () => configured ?? make());
  if (configured === undefined || configured === value) return value;
  throw new Error(
    `KEY_SECRET is another than that of ${file}, with which all keys are hashed: unset it, or remove the file to end them all`,
  );
}

async function keep(file: string, configured: string | undefined, make: () => string): Promise<string> {
  const kept = (await readFile(file, 'utf8').catch(ifMissing(''))).trim();
  const value = configured ?? (kept || make());
  // On disk before it is used: a secret that a power cut takes makes every key worthless.
  if (value !== kept) await writeFile(file, `${value}\n`, { mode: 0o600, flush: true });
  await chmod(file, 0o600);
  return value;
}
