import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmbeddedPostgres } from '#embedded';

/**
 * Real servers of Postgres, one for each worker, on free ports and in a folder of the run's own: runs side by side never
 * meet, and neither do two files of one run, though roles and the oldest open transaction belong to a server.
 */
export default async function setUp({ maxWorkers }) {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-test-'));
  const servers = await Promise.all(
    Array.from({ length: maxWorkers }, (_, worker) =>
      EmbeddedPostgres.start({ directory: join(directory, String(worker)) }),
    ),
  );
  process.env.TEST_DATABASE_URLS = servers.map(({ url }) => url).join(' ');
  globalThis.flotillaTestRun = { directory, servers };
}
