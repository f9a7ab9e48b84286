import { execFile } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgres } from '#embedded';
import { eventually, queryDatabase } from '#testing';

const DIST = join(import.meta.dirname, '..', 'dist');
const PREPARE = join(DIST, 'start', 'prepare.js');
const MIGRATE_PRICING = join(DIST, 'bundles', 'apps', 'pricing', 'src', 'migrate.js');

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
  const run = (script: string, environment: Record<string, string>): Promise<unknown> =>
    promisify(execFile)(process.execPath, [script], { env: { PATH: process.env.PATH, ...environment } });
  const prepare = (
    APP: string,
    APP_DATABASE_URL: string,
    environment: Record<string, string> = {},
  ): Promise<unknown> => run(PREPARE, { APP, DATABASE_URL: postgres.url, APP_DATABASE_URL, ...environment });

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
    const url = urlOf('activity_events', 'sesame');
    await prepare('activity-events', url);
    await expect(queryDatabase(url, 'DROP TABLE activity_events.events')).rejects.toThrow('must be owner');
    await expect(queryDatabase(url, 'CREATE TABLE activity_events.more ()')).rejects.toThrow('denied');
  });

  it('needs no superuser: who owns the database and may create roles is enough', async () => {
    await queryDatabase(postgres.url, "CREATE ROLE admin LOGIN CREATEROLE PASSWORD 'sesame'");
    await queryDatabase(postgres.url, 'CREATE DATABASE fleet OWNER admin');
    const inFleet = (role: string): string => urlOf(role, 'sesame').replace('/postgres', '/fleet');
    const roles = { DATABASE_URL: inFleet('admin') };
    for (let time = 0; time < 2; time += 1) await prepare('firmware', inFleet('firmware'), roles);
    expect(await queryDatabase(inFleet('firmware'), 'SELECT FROM firmware.devices')).toEqual([]);
  });

  it('leaves the migration to its owner, where the owner has a password of its own', async () => {
    const [owner, service] = [urlOf('pricing_owner', 'mine'), urlOf('pricing', 'sesame')];
    await prepare('pricing', service, { OWNER_DATABASE_URL: owner });
    await expect(queryDatabase(service, 'SELECT FROM pricing.prices')).rejects.toThrow('does not exist');
    await run(MIGRATE_PRICING, { DATABASE_URL: owner });
    expect(await queryDatabase(service, 'SELECT FROM pricing.prices')).toEqual([]);
  });

  describe('by an administrator whose URL has no password', () => {
    const publicUrl = (): string => urlOf('postgres', '').replace(':@', '@');
    const computed = (role: string): string =>
      createHmac('sha256', publicUrl().replace(/@.*$/, '')).update(role).digest('hex');

    it('gives roles none that follows from what is no secret', async () => {
      const { password: PGPASSWORD } = new URL(postgres.url);
      await prepare('messages', urlOf('messages', 'sesame'), { DATABASE_URL: publicUrl(), PGPASSWORD });
      const guessed = urlOf('messages_owner', computed('messages_owner'));
      await expect(queryDatabase(guessed, 'SELECT 1')).rejects.toThrow('password');
    });

    it('refuses, where the server asks for none', async () => {
      const rights = join(directory, 'postgres', 'pg_hba.conf');
      const strict = await readFile(rights, 'utf8');
      const apply = async (text: string): Promise<void> => {
        await writeFile(rights, text);
        await queryDatabase(postgres.url, 'SELECT pg_reload_conf()');
      };
      await apply('host all all 127.0.0.1/32 trust\n');
      const trusted = (): Promise<unknown> =>
        prepare('device-state', urlOf('device_state', 'sesame'), { DATABASE_URL: publicUrl() });
      await eventually(() => expect(trusted()).rejects.toThrow('DATABASE_URL needs a password'));
      await apply(strict);
    });
  });

  it('refuses a role that is not the app’s', async () => {
    await expect(prepare('gateway', urlOf('postgres', 'sesame'))).rejects.toThrow('must name the role auth');
  });
});
