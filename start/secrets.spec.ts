import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '#service';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { loadSecrets } from './secrets.js';
import { StartConfig } from './start.config.js';

/** More than Node reads at once: a file that is there, and cannot be read, whoever asks. */
const UNREADABLE_BYTES = 2 ** 31;

describe('a secret', () => {
  let directory: string;
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'flotilla-secrets-'))));
  afterEach(() => rm(directory, { recursive: true }));

  it('is made once, and kept', async () => {
    const made = await loadSecrets(directory, new StartConfig());
    expect(await loadSecrets(directory, new StartConfig())).toEqual(made);
  });

  it('that is configured is used, and kept', async () => {
    const configured = {
      KEY_SECRET: randomBytes(32).toString('hex'),
      FLOTILLA_OPERATOR_KEY: randomKey('operator'),
      FLOTILLA_ADMIN_KEY: randomKey('member'),
    };
    const config = loadConfig(StartConfig, configured);
    expect(await loadSecrets(directory, config)).toEqual(configured);
    expect(await loadSecrets(directory, new StartConfig())).toEqual(configured);
  });

  it('is another key as soon as it is configured, but never another KEY_SECRET: that would end all keys', async () => {
    const made = await loadSecrets(directory, new StartConfig());
    const FLOTILLA_ADMIN_KEY = randomKey('member');
    const config = loadConfig(StartConfig, { FLOTILLA_ADMIN_KEY });
    expect(await loadSecrets(directory, config)).toEqual({ ...made, FLOTILLA_ADMIN_KEY });
    const other = loadConfig(StartConfig, { KEY_SECRET: randomBytes(32).toString('hex') });
    await expect(loadSecrets(directory, other)).rejects.toThrow(
      /^KEY_SECRET is another than that of .*secret\.key/,
    );
    expect((await loadSecrets(directory, new StartConfig())).KEY_SECRET).toBe(made.KEY_SECRET);
  });

  it('that cannot be read is never replaced', async () => {
    const file = join(directory, 'secret.key');
    await writeFile(file, '');
    await truncate(file, UNREADABLE_BYTES);
    await expect(loadSecrets(directory, new StartConfig())).rejects.toMatchObject({
      code: 'ERR_FS_FILE_TOO_LARGE',
    });
    expect((await stat(file)).size).toBe(UNREADABLE_BYTES);
  });
});
