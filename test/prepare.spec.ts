import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgres } from '#embedded';
import { queryDatabase } from '#testing';

const PREPARE = join(import.meta.dirname, '..', 'dist', 'start', 'prepare.js');

describe('preparing a database for an app', () => {
  let directory: string;
  let postgres: EmbeddedPostgres;

  // A server of its own: roles belong to a server, not to a database, and this one changes their passwords.
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-prepare-'));
    postgres = await EmbeddedPostgres.start({ directory });
  });

  afterAll(async () => {
    await postgres.stop();
    await rm(directory, { recursive: true });
  });

  const urlOf = (role: string, password: string): string => {
    const url = new URL(postgres.url);
    return Object.assign(url, { username: role, password: encodeURIComponent(password) }).href;
  };
  const prepare = (APP: string, APP_DATABASE_URL: string): Promise<unknown> =>
    promisify(execFile)(process.execPath, [PREPARE], {
      env: { PATH: process.env.PATH, APP, DATABASE_URL: postgres.url, APP_DATABASE_URL },
    });

  it('lets the app in with its own password, to its tables', async () => {
    const url = urlOf('activity_events', 'p@ss/word 1');
    await prepare('activity-events', url);
    expect(await queryDatabase(url, 'SELECT count(*)::int FROM activity_events.events')).toEqual([
      { count: 0 },
    ]);
  });

  it('can be repeated, with another password', async () => {
    await prepare('gateway', urlOf('auth', 'first'));
    await prepare('gateway', urlOf('auth', 'second'));
    expect(await queryDatabase(urlOf('auth', 'second'), 'SELECT FROM auth.keys')).toEqual([]);
    await expect(queryDatabase(urlOf('auth', 'first'), 'SELECT 1')).rejects.toThrow('password');
  });

  it('leaves the app no right to change its tables', async () => {
    const url = urlOf('activity_events', 'secret');
    await prepare('activity-events', url);
    await expect(queryDatabase(url, 'DROP TABLE activity_events.events')).rejects.toThrow('must be owner');
    await expect(queryDatabase(url, 'CREATE TABLE activity_events.more ()')).rejects.toThrow('denied');
  });

  it('refuses a role that is not the app’s', async () => {
    await expect(prepare('gateway', urlOf('postgres', 'secret'))).rejects.toThrow('must name the role auth');
  });
});
