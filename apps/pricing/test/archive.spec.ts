import { fork, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { Failure, queryPriceChanges, reprice, type PriceChange } from '#contracts';
import { Lead } from '#database';
import { type RunningService } from '#service';
import { context, eventually, queryDatabase } from '#testing';
import { ArchiveDirectory, asideOf } from '../src/archive-directory.js';
import { ArchiveRepository } from '../src/archive.repository.js';
import { type Pricing, startPricing } from './start-pricing.js';

type Archived = Omit<PriceChange, 'sequence'>;

describe('the archive', () => {
  let service: Pricing;
  let directory: string;
  let project_id: string;
  let replicas: RunningService[];

  beforeEach(async () => {
    service = await startPricing({ replicas: 0 });
    directory = await mkdtemp(join(tmpdir(), 'flotilla-archive-'));
    project_id = randomUUID();
    replicas = [];
  });
  afterEach(async () => {
    await Promise.all(replicas.map((replica) => replica.stop()));
    await service.stop();
    await rm(directory, { recursive: true });
  });

  const startReplica = async (): Promise<RunningService> => {
    const replica = await service.startReplica({ PRICING_ARCHIVE_DIR: directory });
    replicas.push(replica);
    return replica;
  };
  /** A replica that can be killed. */
  const forkReplica = async (): Promise<ChildProcess> => {
    const child = fork('dist/bundles/apps/pricing/src/main.js', [], {
      env: { ...process.env, ...service.environment, PRICING_ARCHIVE_DIR: directory, LOG_LEVEL: 'error' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    await once(child, 'message');
    return child;
  };
  const set = (product_id: string, price: number) =>
    service.bus.call(reprice, { product_id, price: `${price}.50` }, context({ project_id }));
  const setAll = (product_id: string, count: number) =>
    Promise.all(Array.from({ length: count }, (_, index) => set(product_id, index + 1)));
  const kept = async (): Promise<Archived[]> => {
    const changes: Archived[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const query = { limit: 1000, cursor };
      const page = (await service.bus.call(queryPriceChanges, query, context({ project_id }))).body;
      changes.push(...page.changes.map(({ sequence: _, ...change }) => change));
      cursor = page.next_cursor;
    }
    return changes;
  };
  /** From now on, and to the end. */
  const archiverHasLooked = async (): Promise<void> => {
    const [now] = await queryDatabase<{ at: string }>(service.urls.owner, 'SELECT now()::text AS at');
    await eventually(async () => {
      const looks = await queryDatabase(
        service.database_url,
        `SELECT FROM pg_stat_activity WHERE application_name = 'pricing archive' AND state = 'idle'
         AND datname = current_database() AND query LIKE '%pricing.changes%FETCH FIRST $3 ROWS%' AND query_start > $1::timestamptz`,
        [now!.at],
      );
      return looks.length > 0;
    });
  };
  const aside = (): Promise<string[]> => readdir(join(directory, '.aside'));
  const names = async (): Promise<string[]> =>
    (await readdir(directory)).filter((name) => name.endsWith('.json')).sort();
  /** Fails for a file that is not whole. */
  const files = async (): Promise<Archived[][]> => {
    const texts = await Promise.all((await names()).map((name) => readFile(join(directory, name), 'utf8')));
    return texts.map((text) => JSON.parse(text) as Archived[]);
  };
  const archived = async (): Promise<Archived[]> => (await files()).flat();
  const chainsOf = (changes: Archived[]) =>
    Map.groupBy(changes, ({ product_id }) => product_id) as ReadonlyMap<string, Archived[]>;
  /** Everything is in the archive, once, each chain in its order, and nothing lies aside. */
  const expectWhole = async (): Promise<void> => {
    const expected = await kept();
    await eventually(async () => (await archived()).length >= expected.length, 20_000);
    const there = await archived();
    expect(there).toHaveLength(expected.length);
    const chains = chainsOf(there);
    for (const [product_id, chain] of chainsOf(expected)) expect(chains.get(product_id)).toEqual(chain);
    for (const file of await files()) {
      expect(file.length).toBeGreaterThan(0);
      expect(file.length).toBeLessThanOrEqual(10);
    }
    expect(await readdir(directory)).toEqual(['.aside', ...(await names())]);
    expect(await aside()).toEqual([]);
  };

  it('puts ten changes in a file, and the rest in one when a second is over', async () => {
    await startReplica();
    await setAll('p', 25);
    await expectWhole();
    expect((await files()).map((file) => file.length)).toEqual([10, 10, 5]);
  });

  it('makes no file of nothing', async () => {
    await startReplica();
    await set('p', 1);
    await expectWhole();
    await set('p', 1);
    await set('q', 1);
    await eventually(async () => (await names()).length === 2);
    expect((await files()).map((file) => file.length)).toEqual([1, 1]);
  });

  it('never puts two projects in one file, and names whose it is', async () => {
    await startReplica();
    await setAll('p', 3);
    const first = project_id;
    project_id = randomUUID();
    await setAll('p', 4);
    await eventually(async () => (await archived()).length === 7);
    const sizes = new Map<string, number>();
    for (const name of await names()) {
      const changes = JSON.parse(await readFile(join(directory, name), 'utf8')) as Archived[];
      const owner = name.slice(13, -5);
      sizes.set(owner, (sizes.get(owner) ?? 0) + changes.length);
    }
    expect(Object.fromEntries(sizes)).toEqual({ [first]: 3, [project_id]: 4 });
  });

  it('begins with all that there is when it is switched on', async () => {
    const before = await service.startReplica();
    await setAll('p', 1);
    await setAll('q', 64);
    await before.stop();
    await startReplica();
    await expectWhole();
  });

  it('waits for a transaction that commits late, tells so as its lag, and then misses nothing of it', async () => {
    const { health_port } = await startReplica();
    const lag = async (): Promise<number> => {
      const metrics = await (await fetch(`http://127.0.0.1:${health_port}/metrics`)).text();
      return Number(/^flotilla_archive_lag_s (.+)$/m.exec(metrics)![1]);
    };
    const late = new Client({ connectionString: service.urls.owner });
    await late.connect();
    await late.query('BEGIN');
    await late.query(
      `INSERT INTO pricing.changes SELECT $1, 'late', date_trunc('milliseconds', now()), 1, $2, NULL, 1,
         pg_current_xact_id()::text::bigint`,
      [project_id, '00000000-0000-7000-8000-000000000000'],
    );
    await setAll('p', 20);
    await archiverHasLooked();
    await eventually(async () => (await lag()) > 0);
    expect(await names()).toEqual([]);
    await late.query('COMMIT');
    await late.end();
    await expectWhole();
    await eventually(async () => (await lag()) === 0);
  });

  it('does not put back what was taken away', async () => {
    await startReplica();
    await setAll('p', 10);
    await eventually(async () => (await names()).length === 1);
    const [name] = await names();
    await rename(join(directory, name!), join(directory, 'taken'));
    await replicas.pop()!.stop();
    await startReplica();
    await setAll('q', 10);
    await eventually(async () => (await names()).length === 1);
    expect((await archived()).map(({ product_id }) => product_id)).toEqual(Array(10).fill('q'));
  });

  it('puts nothing in its place before it is promised, wherever it is killed', async () => {
    const child = await forkReplica();
    await archiverHasLooked();
    const holder = new Client({ connectionString: service.urls.owner });
    await holder.connect();
    await holder.query('BEGIN; LOCK TABLE pricing.archive_position IN SHARE MODE');
    await setAll('p', 30);
    await eventually(async () => (await aside()).length >= 3);
    expect(await names()).toEqual([]);
    await end(child, 'SIGKILL');
    await holder.query('ROLLBACK');
    await holder.end();
    await startReplica();
    await expectWhole();
  });

  it('puts in place what its predecessor promised, and throws away what it did not', async () => {
    const name = (number: number): string => `00000000000${number}-${project_id}.json`;
    // Versions before wrote beside what is in its place, which is never listed any more.
    const [earlier, forgotten] = [2, 5].map((number) => `.${name(number)}.${randomUUID()}.partial`);
    const promised = [asideOf(name(1), 0), earlier!];
    await mkdir(join(directory, '.aside'));
    await writeFile(join(directory, promised[0]!), '[1]');
    await writeFile(join(directory, promised[1]!), '[2]');
    await writeFile(join(directory, asideOf(name(3), 0)), '[3]');
    await writeFile(join(directory, forgotten!), '[5]');
    await queryDatabase(
      service.urls.owner,
      'INSERT INTO pricing.archive_files VALUES ($1, $2), ($3, $4), ($5, $6)',
      [name(1), promised[0], name(2), promised[1], name(4), asideOf(name(4), 0)],
    );
    await startReplica();
    await eventually(async () => (await names()).length === 2 && (await aside()).length === 0);
    expect((await readdir(directory)).sort()).toEqual([forgotten, '.aside', name(1), name(2)]);
    expect(await readFile(join(directory, name(1)), 'utf8')).toBe('[1]');
    expect(await readFile(join(directory, name(2)), 'utf8')).toBe('[2]');
  });

  it('leaves alone what a successor wrote aside when it has lost the lead without knowing', async () => {
    const archive = new ArchiveDirectory(directory);
    await archive.make();
    const leadNow = async () => {
      const lead = await Lead.wait(service.urls.service, 'pricing archive', new AbortController().signal);
      const number = await new ArchiveRepository(lead!).number();
      const file = { name: `${number}.json`, aside: asideOf(`${number}.json`, number), content: '[]' };
      await archive.writeAside([file]);
      return { lead: lead!, number, file };
    };
    const lost = await leadNow();
    await queryDatabase(
      service.database_url,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'pricing archive' AND datname = current_database()`,
    );
    const successor = await leadNow();
    await archive.clearAside(lost.number);
    await archive.clearAside(successor.number);
    await archive.putInPlace([successor.file]);
    expect(await names()).toEqual([successor.file.name]);
    expect(await aside()).toEqual([]);
    await Promise.all([lost, successor].map(({ lead }) => lead.giveUp()));
  });

  it('refuses to go on in a database that is older than the archive', async () => {
    await queryDatabase(service.urls.owner, 'UPDATE pricing.archive_position SET transaction_id = 10^15');
    const lead = await Lead.wait(service.urls.service, 'pricing archive', new AbortController().signal);
    await expect(new ArchiveRepository(lead!).position()).rejects.toThrow(
      'The archive is ahead of the database',
    );
    await lead!.giveUp();
  });

  it('replaces no file of the same name from before a restore, says so, and goes on once it is gone', async () => {
    const name = `000000000001-${project_id}.json`;
    await writeFile(join(directory, name), '["of a change that the copy does not have"]');
    const { health_port } = await startReplica();
    const archive = async (): Promise<object> => {
      const answer = await fetch(`http://127.0.0.1:${health_port}/health`);
      return ((await answer.json()) as { parts: { archive: object } }).parts.archive;
    };
    await set('p', 1);
    await eventually(async () => expect(await archive()).toMatchObject({ status: 'down' }));
    await rename(join(directory, name), join(directory, 'moved away'));
    await eventually(async () => expect(await archive()).toMatchObject({ status: 'up' }));
    expect(await readFile(join(directory, 'moved away'), 'utf8')).toBe(
      '["of a change that the copy does not have"]',
    );
    await rm(join(directory, 'moved away'));
    await expectWhole();
  });

  it('takes a file in its place that holds the same for its own', async () => {
    const file = { name: '1.json', aside: asideOf('1.json', 1), content: '[1]' };
    const archive = new ArchiveDirectory(directory);
    await archive.make();
    await writeFile(join(directory, file.name), file.content);
    await archive.writeAside([file]);
    await archive.putInPlace([file]);
    expect(await readFile(join(directory, file.name), 'utf8')).toBe(file.content);
    expect(await aside()).toEqual([]);
  });

  it('says in health and metrics that it cannot write, and goes on once it can', async () => {
    await writeFile(join(directory, '.aside'), 'in its way');
    const { health_port } = await startReplica();
    const ask = (path: string): Promise<Response> => fetch(`http://127.0.0.1:${health_port}${path}`);
    const leads = async (): Promise<string | undefined> =>
      /^flotilla_archive_leads (\d)$/m.exec(await (await ask('/metrics')).text())?.[1];
    await eventually(async () => (await ask('/health')).status === 503);
    const { parts } = (await (await ask('/health')).json()) as { parts: object };
    expect(parts).toMatchObject({ archive: { status: 'down' }, feed: { status: 'up' } });
    expect((await ask('/health/ready')).status).toBe(200);
    expect(await leads()).toBe('0');
    await set('p', 1);
    await rm(join(directory, '.aside'));
    await expectWhole();
    await eventually(async () => (await ask('/health')).status === 200);
    expect(await leads()).toBe('1');
  });

  it('logs once what keeps it from writing, however often it tries', async () => {
    await mkdir(join(directory, '.aside'));
    const tries = [1, 2, 3].map((lead) => asideOf(`000000000001-${project_id}.json`, lead));
    for (const name of tries) await writeFile(join(directory, name), 'in its way');
    const child = await forkReplica();
    let log = '';
    child.stdout!.on('data', (chunk) => (log += String(chunk)));
    await set('p', 1);
    await expectWhole();
    await end(child, 'SIGTERM');
    expect(log.split('\n').filter((line) => line.includes('EEXIST'))).toHaveLength(1);
  });

  it('loses and repeats no change, and forks no chain, while its replicas are killed one after another', async () => {
    await service.startReplica();
    const archivers = [await forkReplica(), await forkReplica()];
    let sending = true;
    let price = 0;
    const send = async (product_id: string): Promise<void> => {
      while (sending) {
        const request = { product_id, price: `${(price += 1)}` };
        const call = service.bus.call(reprice, request, context({ project_id }), 1_000);
        await call.catch((error: unknown) => {
          // What a killed replica had taken has no answer.
          if (!(error instanceof Failure) || error.code !== 'unavailable') throw error;
        });
      }
    };
    const senders = Array.from({ length: 12 }, (_, index) => send(`p${index}`));
    try {
      for (let kills = 0; kills < 12; kills += 1) {
        const before = (await names()).length;
        await eventually(async () => (await names()).length > before + (kills % 5) * 3);
        await end(archivers.shift()!, 'SIGKILL');
        archivers.push(await forkReplica());
      }
    } finally {
      sending = false;
      await Promise.all(senders);
    }
    await expectWhole();
    for (const chain of chainsOf(await archived()).values())
      chain.forEach((change, index) =>
        expect(change.previous_price).toBe(chain[index - 1]?.new_price ?? null),
      );
    await Promise.all(archivers.map((archiver) => end(archiver, 'SIGTERM')));
  }, 120_000);
});

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
