import { arch, cpus, platform, release, totalmem } from 'node:os';
import { type Bench, withClient } from './bench.js';
import { pgbenchVersion } from './pgbench.js';

/** What a reader needs to know of the machine before believing a figure. */
export async function machineFacts({ postgres, options }: Bench): Promise<string[]> {
  const { rows } = await withClient(postgres.url, (client) =>
    client.query<{ version: string }>('SELECT version()'),
  );
  const [cpu] = cpus();
  return [
    `${cpus().length} × ${String(cpu?.model.trim())}, ${Math.round(totalmem() / 2 ** 30)} GB`,
    `${platform()} ${release()} ${arch()}, Node ${process.version}`,
    `${rows[0]!.version.split(' (')[0]!.split(' on ')[0]!}; fsync, synchronous_commit and full_page_writes on`,
    pgbenchVersion() ?? 'no pgbench on PATH',
    `${options.rounds} rounds of ${options.seconds} s, ${options.connections} connections, all on this machine`,
  ];
}
