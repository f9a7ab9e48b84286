import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '#embedded';

/** One real Postgres for the whole run, on a free port and in a folder of its own: runs side by side never meet. */
export default async function setUp() {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-test-'));
  const postgres = await EmbeddedPostgres.start({ directory });
  process.env.TEST_DATABASE_URL = postgres.url;
  globalThis.flotillaTestRun = { directory, postgres };
}
