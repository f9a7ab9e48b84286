import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually, queryDatabase } from '#testing';
import { EmbeddedPostgres } from './postgres.js';

const START = `import { EmbeddedPostgres } from '#embedded';
  await EmbeddedPostgres.start({ directory: process.argv[1] });`;
/** Starts it in a process of its own. */
const startOutside = [`--input-type=module`, '--eval', START];

describe('an embedded Postgres', () => {
  let directory: string;
  const running: EmbeddedPostgres[] = [];
  beforeEach(async () => (directory = await mkdtemp(join(tmpdir(), 'flotilla-postgres-'))));
  afterEach(async () => {
    await Promise.all(running.splice(0).map((server) => server.stop()));
    await rm(directory, { recursive: true });
  });
  const start = async (name: string): Promise<EmbeddedPostgres> => {
    const server = await EmbeddedPostgres.start({ directory: join(directory, name) });
    running.push(server);
    return server;
  };
  const answer = ({ url }: EmbeddedPostgres) => queryDatabase(url, 'SELECT 1 AS one');

  it('starts where an earlier start was killed while it made the cluster', async () => {
    const killed = spawn(process.execPath, [...startOutside, join(directory, 'killed')]);
    await eventually(() => globSync('killed/postgres*/PG_VERSION', { cwd: directory }).length > 0);
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await answer(await start('killed'))).toEqual([{ one: 1 }]);
    expect((await readdir(join(directory, 'killed'))).sort()).toEqual(['postgres', 'postgres.password']);
  });

  it('is not made where something else is', async () => {
    const other = join(directory, 'other', 'postgres');
    await mkdir(other, { recursive: true });
    await writeFile(join(other, 'diary.txt'), 'Dear diary');
    await expect(start('other')).rejects.toThrow(`${other} is not empty`);
    expect(await readdir(other)).toEqual(['diary.txt']);
  });

  it('leaves alone the server of another directory, which was given the number of its own', async () => {
    await (await start('mine')).stop();
    const other = await start('other');
    await writeFile(join(directory, 'mine', 'postgres', 'postmaster.pid'), `${other.process.pid}\n`);
    const mine = await start('mine');
    expect([await answer(mine), await answer(other)]).toEqual([[{ one: 1 }], [{ one: 1 }]]);
  });

  it('knows the letters of every script, and what of a word an index finds it by', async () => {
    const { url } = await start('letters');
    await queryDatabase(url, 'CREATE EXTENSION pg_trgm');
    const sql = `SELECT 'ΣΊΓΜΑ' ILIKE 'σίγμα' AS have_cases, cardinality(show_trgm('ошибка')) AS trigrams`;
    expect(await queryDatabase(url, sql)).toEqual([{ have_cases: true, trigrams: 7 }]);
  });

  it('starts on a system without the locale that it is to have', async () => {
    const place = join(directory, 'bare');
    const server = await EmbeddedPostgres.start({ directory: place, character_types: ['xx_XX.UTF-8', 'C'] });
    running.push(server);
    const sql = 'SELECT datctype FROM pg_database WHERE datname = current_database()';
    expect(await queryDatabase(server.url, sql)).toEqual([{ datctype: 'C' }]);
  });

  it('answers whatever PGSSLMODE says', async () => {
    const { url } = await start('plain');
    const script = `import pg from 'pg';
      const client = new pg.Client(process.argv[1]);
      await client.connect();
      await client.end();`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script, url], {
      env: { ...process.env, PGSSLMODE: 'require' },
    });
  });
});
