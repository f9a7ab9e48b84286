import { type Bench, type BenchProject } from './bench.js';
import { type LoadRequest } from './load.js';
import { withBestPool } from './tuned-pool.js';
import { type Writer } from './writers.js';

export interface MonolithOptions {
  /** The app whose tables it has, in a database of its own. */
  app: string;
  schema: string;
  /** Its built script below `dist`. */
  script: string;
  project: BenchProject;
  /** What it is tuned with. */
  requests: LoadRequest[];
  /** Fills its tables, given the superuser's URL. */
  load?: (database_url: string) => Promise<void>;
}

/** A service's baseline: one process with a statement or transaction for each request, with the pool that suits it best. */
export async function startMonolith(
  bench: Bench,
  { app, schema, script, project, requests, load }: MonolithOptions,
): Promise<{ writer: Writer; pool_size: number }> {
  const name = `monolith-${app}`;
  const database = await bench.prepare(`a database for ${name}`, async () => {
    const urls = await bench.databaseLike(app, schema, `monolith_${schema}`);
    await load?.(urls.admin);
    return urls;
  });
  const { running, pool_size } = await withBestPool(
    bench,
    'monolith',
    (pool) =>
      bench.child(name, script, {
        DATABASE_URL: database.service,
        POOL_SIZE: String(pool),
        KEYS: JSON.stringify({ [project.key]: project.id }),
      }),
    { connections: bench.options.connections, requests },
  );
  return { writer: { name: 'monolith', url: running.url, database_url: database.admin }, pool_size };
}
