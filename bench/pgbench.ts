import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EVERY_PROJECT } from '#database';
import { type LoadResult } from './load.js';
import { quantile } from './statistics.js';

/** Version of the pgbench on PATH; undefined when there is none. */
export function pgbenchVersion(): string | undefined {
  try {
    return execFileSync('pgbench', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

export interface PgbenchPlan {
  database_url: string;
  /** The statements of one transaction, in pgbench's language. */
  script: string;
  clients: number;
  warm_up_s: number;
  seconds: number;
  /** For its logs. */
  directory: string;
}

/** What Postgres alone can do: the statements from C, prepared, with no Node in between. */
export async function runPgbench(plan: PgbenchPlan): Promise<LoadResult> {
  const warmUp = await run(plan, plan.warm_up_s);
  const measured = await run(plan, plan.seconds);
  return {
    rate: measured.rate,
    acknowledged: warmUp.latencies_ms.length + measured.latencies_ms.length,
    failed: warmUp.failed + measured.failed,
    p50_ms: quantile(measured.latencies_ms, 0.5),
    p99_ms: quantile(measured.latencies_ms, 0.99),
  };
}

async function run(
  { database_url, script, clients, directory }: PgbenchPlan,
  seconds: number,
): Promise<{ rate: number; latencies_ms: number[]; failed: number }> {
  const logs = await mkdtemp(join(directory, 'pgbench-'));
  const file = join(logs, 'transaction.sql');
  await writeFile(file, script);
  const { hostname, port, username, password, pathname } = new URL(database_url);
  const { stdout } = await promisify(execFile)(
    'pgbench',
    [
      ...['--no-vacuum', '--protocol=prepared', `--client=${clients}`, '--jobs=2', `--time=${seconds}`],
      ...['--log', `--log-prefix=${join(logs, 'latency')}`, `--file=${file}`],
      ...['-h', hostname, '-p', port, '-U', username, pathname.slice(1)],
    ],
    // The second wall stands for every statement; which projects it lets through is said once a connection.
    { env: { ...process.env, PGPASSWORD: password, PGOPTIONS: EVERY_PROJECT } },
  );
  const rate = /^tps = ([\d.]+)/m.exec(stdout)?.[1];
  if (rate === undefined) throw new Error(`pgbench said:\n${stdout}`);
  return {
    rate: Number(rate),
    latencies_ms: await latenciesIn(logs),
    failed: Number(/^number of failed transactions: (\d+)/m.exec(stdout)?.[1] ?? 0),
  };
}

/** Third column of its log: microseconds of a transaction. */
async function latenciesIn(logs: string): Promise<number[]> {
  const files = (await readdir(logs)).filter((name) => name.startsWith('latency'));
  const texts = await Promise.all(files.map((name) => readFile(join(logs, name), 'utf8')));
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => Number(line.split(' ')[2]) / 1_000),
  );
}
