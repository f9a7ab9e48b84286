import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bar } from './bars.js';
import { Bench } from './bench.js';
import { machineFacts } from './machine.js';
import { benchOptions } from './options.js';
import { markdown } from './report.js';
import { type Section } from './section.js';
import { SUITES } from './suites.js';

const MEMORY_BAR_MB = 700;
const IDLE_MS = 5_000;

const options = benchOptions(process.argv.slice(2));
const suites = SUITES.filter(({ name }) => name.startsWith(options.only));
if (suites.length === 0) {
  throw new Error(`--only ${options.only} is none of ${SUITES.map(({ name }) => name).join(', ')}`);
}

const bench = await Bench.start(options);
const interrupted = (): void => void bench.stop().finally(() => process.exit(130));
process.once('SIGINT', interrupted);
process.once('SIGTERM', interrupted);
try {
  const sections: Section[] = [];
  for (const suite of suites) {
    console.error(suite.name);
    sections.push(...(await suite.run(bench)));
  }
  await bench.stopContenders();
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const memory = await bench.resident();
  const memoryBar: Bar = {
    promise: `resident memory ≤ ${MEMORY_BAR_MB} MB`,
    measured: `${memory.all.pss_mb.toFixed(0)} MB`,
    met: memory.all.pss_mb > 0 && memory.all.pss_mb <= MEMORY_BAR_MB,
  };
  const day = new Date().toISOString().slice(0, 10);
  const what = options.only === '' ? 'all' : options.only.replaceAll('/', '-');
  const machine = await machineFacts(bench);
  const text = markdown({ day, what, machine, sections, memory, memoryBar });
  const results = join(import.meta.dirname, '..', '..', 'bench', 'results');
  await mkdir(results, { recursive: true });
  await writeFile(join(results, `${day}-${what}.md`), text);
  console.log(text);
  const failed = sections.flatMap(({ standings }) => standings).filter((standing) => standing.failed > 0);
  if (failed.length > 0) {
    console.error(`Requests failed: ${failed.map((one) => `${one.name} ${one.failed}`).join(', ')}`);
    process.exitCode = 1;
  }
} finally {
  await bench.stop();
}
