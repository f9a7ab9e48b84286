import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgres, restoreBaseBackup } from '#embedded';
import { queryDatabase } from '#testing';
import { anEvent } from './builders.js';
import { ROOT } from './apps.js';
import { started, type Started } from './started.js';

const run = (script: string, directory: string, ...args: string[]): Promise<{ stdout: string }> =>
  promisify(execFile)(process.execPath, [join(ROOT, 'dist/start', script), ...args], {
    env: { PATH: process.env.PATH, FLOTILLA_DATA_DIR: directory },
  });

describe('a backup', () => {
  let directory: string;
  let source: Started;
  const running: Started[] = [];
  const servers: EmbeddedPostgres[] = [];
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-backup-'));
    source = await started(join(directory, 'source'));
    running.push(source);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
    for (const { kill } of running) kill('SIGTERM');
    await Promise.all(running.map(({ ended }) => ended));
    await rm(directory, { recursive: true });
  });

  it('that was taken under load, restored elsewhere, has all that was acknowledged before it, and runs', async () => {
    const before = await Promise.all(
      Array.from({ length: 50 }, () => source.admin.post('/v1/events', anEvent())),
    );
    await source.admin.post('/v1/prices', { product_id: 'pump', price: 12.5 });
    const backup = join(directory, 'backup');
    const taken = new AbortController();
    const load = (async () => {
      while (!taken.signal.aborted) await source.admin.post('/v1/events', anEvent());
    })();
    await run('backup.js', join(directory, 'source'), backup);
    taken.abort();
    await load;

    await run('restore.js', join(directory, 'target'), backup);
    const target = await started(join(directory, 'target'));
    running.push(target);
    const admin = source.admin.at(target.url);
    for (const { body, status } of before) {
      expect(status).toBe(201);
      expect((await admin.get(`/v1/events/${String(body.id)}`)).body).toEqual(body);
    }
    expect((await admin.get('/v1/prices/pump')).body).toEqual(
      (await source.admin.get('/v1/prices/pump')).body,
    );
    expect((await admin.post('/v1/events', anEvent())).status).toBe(201);
  });

  it('of a server of one’s own holds no keys, and is that server again once it is unpacked', async () => {
    const [own, copy, again] = ['own', 'own-copy', 'own-again'].map((name) =>
      join(directory, 'source', name),
    );
    const server = await EmbeddedPostgres.start({ directory: own! });
    servers.push(server);
    await queryDatabase(
      server.url,
      'CREATE TABLE ours AS SELECT 7 AS number, pg_current_xact_id()::text AS at',
    );
    await promisify(execFile)(process.execPath, [join(ROOT, 'dist/start/backup.js'), copy!], {
      env: { PATH: process.env.PATH, DATABASE_URL: server.url },
    });
    expect((await readdir(copy!)).sort()).toEqual(['backup_manifest', 'base.tar.gz']);

    await mkdir(again!);
    await restoreBaseBackup(copy!, again!, []);
    await cp(join(own!, 'postgres.password'), join(again!, 'postgres.password'));
    const restored = await EmbeddedPostgres.start({ directory: again! });
    servers.push(restored);
    const question = 'SELECT number, at, pg_xact_status(at::xid8) AS outcome FROM ours';
    const answer = await queryDatabase(restored.url, question);
    expect(answer).toEqual(await queryDatabase(server.url, question));
    expect(answer).toEqual([{ number: 7, at: expect.any(String), outcome: 'committed' }]);
  });

  it('is never put where there is a database', async () => {
    const backup = join(directory, 'backup');
    await expect(run('restore.js', join(directory, 'source'), backup)).rejects.toThrow('is in use');
    expect((await source.admin.get('/v1/me')).status).toBe(200);
    const stopped = join(directory, 'source/stopped');
    await mkdir(join(stopped, 'postgres'), { recursive: true });
    await writeFile(join(stopped, 'postgres/PG_VERSION'), '18');
    await expect(run('restore.js', stopped, backup)).rejects.toThrow('is not empty');
    expect(await readdir(join(stopped, 'postgres'))).toEqual(['PG_VERSION']);
  });

  it('that could not be restored to its end leaves no database, and can be restored again', async () => {
    const backup = join(directory, 'backup');
    const broken = join(directory, 'source/broken');
    await cp(backup, broken, { recursive: true });
    await truncate(join(broken, 'base.tar.gz'), (await stat(join(broken, 'base.tar.gz'))).size >> 1);
    const target = join(directory, 'source/again');
    await expect(run('restore.js', target, broken)).rejects.toThrow('unexpected end of file');
    expect(await readdir(target)).not.toContain('postgres');
    await run('restore.js', target, backup);
    const kept = ['admin.key', 'operator.key', 'postgres', 'postgres.password', 'secret.key'];
    expect((await readdir(target)).filter((name) => !name.startsWith('flotilla.'))).toEqual(kept);
  });

  it('replaces no key of an instance whose database is elsewhere', async () => {
    const [backup, target] = [join(directory, 'backup'), join(directory, 'source/elsewhere')];
    await mkdir(target);
    const key = join(target, 'secret.key');
    await writeFile(key, 'of another instance');
    await expect(run('restore.js', target, backup)).rejects.toThrow(`${key} is another`);
    expect(await readFile(key, 'utf8')).toBe('of another instance');
    expect((await readdir(target)).filter((name) => !name.startsWith('flotilla.'))).toEqual(['secret.key']);
    // As a restore leaves it that was killed before the database was in place.
    await cp(join(backup, 'secret.key'), key);
    await run('restore.js', target, backup);
    expect(await readdir(target)).toContain('postgres');
  });

  it('without keys, as of a server that is not embedded, is not put anywhere', async () => {
    const keyless = join(directory, 'source/keyless');
    await cp(join(directory, 'backup/base.tar.gz'), join(keyless, 'base.tar.gz'));
    const target = join(directory, 'source/restored');
    await expect(run('restore.js', target, keyless)).rejects.toThrow('no copy of an embedded server');
    await expect(readdir(target)).rejects.toThrow('ENOENT');
  });

  it('is there as a whole or not at all', async () => {
    await expect(run('backup.js', join(directory, 'nowhere'), join(directory, 'none'))).rejects.toThrow(
      'does not run',
    );
    expect((await readdir(directory)).sort()).toEqual(['backup', 'source', 'target']);
  });
});
