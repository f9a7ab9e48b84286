import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const STARTS = 8;
const ROUNDS = 10;

/** Claims a directory when it is told which, and keeps it. */
const CLAIM = `import { lockDirectory } from './dist/start/directory-lock.js';
  process.on('message', async (directory) => {
    process.send(await lockDirectory(directory).then(() => 'has it', ({ message }) => message));
  });
  process.send('ready');`;

describe('a data directory', () => {
  let directory: string;
  const processes = new Set<ChildProcess>();
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'flotilla-lock-'))));
  afterEach(async () => {
    await kill(...processes);
    await rm(directory, { recursive: true });
  });
  const claimants = (count: number): Promise<ChildProcess[]> =>
    Promise.all(
      Array.from({ length: count }, async () => {
        const child = spawn(process.execPath, ['--input-type=module', '--eval', CLAIM], {
          stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
        });
        processes.add(child);
        await once(child, 'message');
        return child;
      }),
    );
  const claim = async (child: ChildProcess): Promise<string> => {
    const answer = once(child, 'message') as Promise<[string]>;
    child.send(directory);
    return (await answer)[0];
  };
  const kill = async (...children: ChildProcess[]): Promise<void> => {
    for (const child of children) {
      processes.delete(child);
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  };

  it('belongs to one of many that start at once, though its last holder was killed', async () => {
    const first = await claimants(1);
    expect(await claim(first[0]!)).toBe('has it');
    await kill(...first);
    for (let round = 0; round < ROUNDS; round += 1) {
      const starting = await claimants(STARTS);
      const answers = await Promise.all(starting.map(claim));
      const holder = starting[answers.indexOf('has it')]!;
      expect(answers.filter((answer) => answer !== 'has it')).toEqual(
        Array.from({ length: STARTS - 1 }, () =>
          expect.stringContaining(`${directory} is in use by process ${holder.pid}`),
        ),
      );
      await kill(...starting);
    }
    expect(await readdir(directory)).toEqual([expect.stringMatching(/^flotilla\.\d+\.pid$/)]);
  });
});
