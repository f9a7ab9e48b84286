import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect as connectTo, nanos } from '@nats-io/transport-node';
import { ANYTHING } from './nats-users.js';
import { EmbeddedNats } from './nats.js';

/** FEED_MAX_MIB at its most. */
const MOST_OF_A_FEED = 2 ** 40;

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

  it('takes every feed that may be configured, and each once more, whatever is free on its disk', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-'));
    const server = await EmbeddedNats.start({ directory, users: [ANYTHING] });
    const { host, username: user, password: pass } = new URL(server.urlOf(ANYTHING.name));
    const nats = await connectTo({ servers: host, user, pass });
    const { streams } = await jetstreamManager(nats);
    const feeds = Array.from({ length: 6 }, (_, index) => ({
      name: `feed_${index}`,
      subjects: [`feed.${index}`],
      max_bytes: MOST_OF_A_FEED,
    }));
    for (const feed of feeds) await streams.add(feed);
    await streams.add({ name: 'dead', subjects: ['dead.*'], max_bytes: 64 * 2 ** 20 });
    for (const feed of feeds) await streams.update(feed.name, { ...feed, max_age: nanos(3_600_000) });
    await nats.close();
    await server.stop();
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
