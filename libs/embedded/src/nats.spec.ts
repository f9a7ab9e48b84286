import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedNats } from './nats.js';

describe('an embedded NATS', () => {
  it('leaves alone the server of another directory, which was given the number of its own', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-'));
    const other = await EmbeddedNats.start({ directory: join(directory, 'other') });
    let hasDied = false;
    other.process.onDeath(() => (hasDied = true));
    await mkdir(join(directory, 'mine'));
    await writeFile(join(directory, 'mine', 'nats.pid'), String(other.process.pid));
    const mine = await EmbeddedNats.start({ directory: join(directory, 'mine') });
    expect(hasDied).toBe(false);
    await Promise.all([mine.stop(), other.stop()]);
    await rm(directory, { recursive: true });
  });
});
