import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Socket } from 'node:net';
import { join } from 'node:path';
import { createGzip, createGunzip, type Gzip } from 'node:zlib';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { makeCluster } from './cluster-directory.js';
import { copyFiles, sync } from './disk.js';
import { ifMissing } from './if-missing.js';
import { unprivileged } from './unprivileged.js';

/** As tools of Postgres expect them. */
const ARCHIVE = 'base.tar.gz';
const MANIFEST = 'backup_manifest';

const [ARCHIVE_BEGINS, MANIFEST_BEGINS, DATA] = Buffer.from('nmd');

/** The command BASE_BACKUP of Postgres 15 or newer; see "Streaming Replication Protocol" in its manual. */
class BaseBackup extends pg.Query {
  private output?: Gzip | WriteStream;

  constructor(
    private readonly archive: Gzip,
    private readonly manifest: WriteStream,
  ) {
    // With the WAL that it needs, so that it is whole without any other file.
    super("BASE_BACKUP (LABEL 'flotilla', CHECKPOINT 'fast', WAL true, MANIFEST 'yes')");
  }

  /** Called by the client for each message that is neither a row nor an end. */
  handleCopyData({ chunk }: { chunk: Buffer }, { stream }: { stream: Socket }): void {
    const [kind] = chunk;
    if (kind === ARCHIVE_BEGINS) {
      if (this.output)
        stream.destroy(new Error('Tablespaces outside of the data directory are not backed up'));
      this.output = this.archive;
    } else if (kind === MANIFEST_BEGINS) this.output = this.manifest;
    // A copy: the client writes the next message over this one.
    else if (kind === DATA && !this.output!.write(Buffer.copyBytesFrom(chunk, 1))) {
      stream.pause();
      this.output!.once('drain', () => stream.resume());
    }
  }
}

/**
 * A copy of a whole Postgres server while it runs, as `pg_basebackup --format=tar --wal-method=fetch` makes it: of one
 * instant, transaction ids included. `url` names a role that may replicate; `directory` has to be there.
 */
export async function takeBaseBackup(url: string, directory: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, replication: 'true' } as pg.ClientConfig);
  await client.connect();
  const lost = once(client, 'error').then(([error]) => Promise.reject(error as Error));
  lost.catch(() => undefined);
  const archive = createGzip({ level: 1 });
  const written = pipeline(archive, createWriteStream(join(directory, ARCHIVE)));
  const manifest = createWriteStream(join(directory, MANIFEST));
  try {
    await Promise.race([once(client.query(new BaseBackup(archive, manifest)), 'end'), written, lost]);
    archive.end();
    manifest.end();
    await Promise.all([written, once(manifest, 'close')]);
    for (const name of [ARCHIVE, MANIFEST]) await sync(join(directory, name));
  } finally {
    await client.end();
  }
}

/**
 * Puts a copy in place, whole or not at all: `EmbeddedPostgres` with this directory then runs it. Files of the copy named in
 * `beside` are put there just before it. @throws an Error where there is a cluster already, or such a file with other content
 */
export async function restoreBaseBackup(backup: string, directory: string, beside: string[]): Promise<void> {
  for (const name of beside) await refuseAnother(join(directory, name), join(backup, name));
  await makeCluster(directory, async (cluster) => {
    const { command, args } = await unprivileged('tar', ['--extract', '--directory', cluster]);
    const tar = spawn(command, args, { stdio: ['pipe', 'inherit', 'inherit'] });
    const ended = once(tar, 'close');
    await pipeline(createReadStream(join(backup, ARCHIVE)), createGunzip(), tar.stdin);
    const [code] = (await ended) as [number | null];
    if (code !== 0) throw new Error(`tar ended with ${code ?? 'a signal'}`);
    // Before the cluster is there: without them it is worth nothing.
    await copyFiles(beside, backup, directory);
  });
}

/** A key of a database that is elsewhere may be there, and nowhere else. The same is: of a restore that was killed. */
async function refuseAnother(there: string, copied: string): Promise<void> {
  const content = await readFile(there).catch(ifMissing(undefined));
  if (content && !content.equals(await readFile(copied)))
    throw new Error(`${there} is another than that of the copy: move it away, or restore elsewhere`);
}
