import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ANYTHING } from './nats-users.js';
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

  it('does not start with a secret that cannot be read, and keeps it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-'));
    const file = join(directory, 'nats.password');
    await writeFile(file, '');
    // More than Node reads at once.
    await truncate(file, 2 ** 31);
    await expect(EmbeddedNats.start({ directory })).rejects.toMatchObject({ code: 'ERR_FS_FILE_TOO_LARGE' });
    expect((await stat(file)).size).toBe(2 ** 31);
    await rm(directory, { recursive: true });
  });

  it('misses whoever is gone without a word within 20 s, and gives its calls to others', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-'));
    const nats = await EmbeddedNats.start({ directory, users: [ANYTHING] });
    const { hostname, port, username, password } = new URL(nats.urlOf(ANYTHING.name));
    const socket = connect(Number(port), hostname);
    socket.write(`CONNECT ${JSON.stringify({ user: username, pass: password, verbose: false })}\r\n`);
    socket.write('SUB things.ask things 1\r\nPING\r\n');
    let heard = '';
    socket.on('data', (chunk) => (heard += chunk.toString()));
    const began = performance.now();
    await once(socket, 'close');
    expect(heard).toContain('Stale Connection');
    expect(performance.now() - began).toBeLessThan(20_000);
    await nats.stop();
    await rm(directory, { recursive: true });
  }, 30_000);
});
