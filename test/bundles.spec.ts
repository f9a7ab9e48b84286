import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APPS, ROOT } from './apps.js';

const BUNDLES = join(ROOT, 'dist', 'bundles');

describe('the bundles that apps run as', () => {
  let elsewhere: string;
  beforeAll(async () => {
    elsewhere = await mkdtemp(join(tmpdir(), 'flotilla-bundles-'));
    await cp(BUNDLES, elsewhere, { recursive: true });
    await writeFile(join(elsewhere, 'package.json'), '{"type":"module"}');
  });
  afterAll(() => rm(elsewhere, { recursive: true }));

  it.each(APPS)('hold all of %s: it loads where no package is', (app) => {
    for (const script of ['main.js', 'migrate.js']) {
      const path = join(elsewhere, 'apps', app, 'src', script);
      const { stderr, status } = spawnSync(process.execPath, [path], { env: {}, encoding: 'utf8' });
      expect(stderr).toMatch(/\bThe configuration is not usable:\n/);
      expect(status).toBe(1);
    }
  });

  it('lead from our own lines to where they were written, and from no others', () => {
    const sources = globSync('*.js.map', { cwd: BUNDLES })
      .map((path) => JSON.parse(readFileSync(join(BUNDLES, path), 'utf8')) as { sources: string[] })
      .flatMap(({ sources }) => sources);
    expect(sources.filter((source) => /\/(apps|libs)\/.+\.ts$/.test(source)).length).toBeGreaterThan(100);
    expect(sources.filter((source) => source.includes('node_modules'))).toEqual([]);
  });
});
