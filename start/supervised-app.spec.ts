import { mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SupervisedApp } from './supervised-app.js';

const MOST_BYTES = 64 * 1024 * 1024;

describe('an app that starts', () => {
  it('begins its log anew once it is larger than 64 MiB', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-app-'));
    const log = join(directory, 'oven.log');
    await writeFile(log, '');
    await truncate(log, MOST_BYTES + 1);
    // There is none of this name: all that it does is to begin.
    const app = new SupervisedApp({ name: 'oven', directory, environment: {} });
    await expect(app.start()).rejects.toThrow('oven ended at its start');
    await app.stop();
    expect((await readdir(directory)).sort()).toEqual(['oven.log', 'oven.log.1']);
    expect((await stat(`${log}.1`)).size).toBe(MOST_BYTES + 1);
    await rm(directory, { recursive: true });
  });
});
