import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServerProcess } from './server-process.js';

const MOST_BYTES = 64 * 1024 * 1024;

describe('the log of a process', () => {
  let directory: string;
  let log: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-log-'));
    log = join(directory, 'oven.log');
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** Ends after a word, as a server that cannot start. */
  const start = async (): Promise<void> => {
    const starting = ServerProcess.start({
      name: 'oven',
      command: process.execPath,
      args: ['-e', "console.log('hot')"],
      stopSignal: 'SIGTERM',
      log,
      ready: () => Promise.resolve(false),
    });
    await expect(starting).rejects.toThrow('oven ended at its start');
  };

  it('goes on where it ended', async () => {
    await start();
    await start();
    expect(await readFile(log, 'utf8')).toBe('hot\nhot\n');
    expect(await readdir(directory)).toEqual(['oven.log']);
  });

  it('begins anew at a start once it is larger than 64 MiB; the one before it stays, and no other', async () => {
    await writeFile(`${log}.1`, 'older');
    await writeFile(log, '');
    await truncate(log, MOST_BYTES + 1);
    await start();
    expect((await stat(`${log}.1`)).size).toBe(MOST_BYTES + 1);
    expect(await readFile(log, 'utf8')).toBe('hot\n');
    expect((await readdir(directory)).sort()).toEqual(['oven.log', 'oven.log.1']);
  });
});
