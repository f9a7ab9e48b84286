import { mkdir, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { Random } from '../../bench/random.js';
import { faultOptions, type FaultOptions } from './options.js';
import { markdown, teethTable } from './report.js';
import { Run } from './run.js';
import { schedule } from './schedule.js';
import { bite } from './teeth.js';

const RATE = 80;
/** What the quick tier promises; the full one writes as long as its faults last. */
const LEAST_ACKNOWLEDGED = 10_000;

const options = faultOptions(process.argv.slice(2));
const tell = (line: string): void => console.error(line);
tell(`seed ${options.seed}`);
process.exitCode = (options.teeth ? await teeth(options) : await faults(options)) ? 0 : 1;

/** @returns whether every promise held */
async function faults({ tier, seed, report, only }: FaultOptions): Promise<boolean> {
  const run = await Run.start({ seed, rate: RATE, tell });
  const stop = (): void => void run.stop().finally(() => process.exit(130));
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const planned = schedule(tier, new Random(seed), run.rig.volumes);
  if (planned.skipped > 0) tell(`SKIPPED: ${planned.skipped} faults that need a file system of their own`);
  await run.strike(planned.faults.filter(({ name }) => name.includes(only)));
  if (only === '') {
    await run.acknowledge(LEAST_ACKNOWLEDGED);
    await run.overload();
  }
  const verdict = await run.judge();
  const text = markdown({
    tier,
    seed,
    day: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]!.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`,
    verdict,
    skipped: planned.skipped,
  });
  console.log(text);
  if (report !== undefined) await save(report, text);
  return verdict.findings.every(({ violations }) => violations.length === 0);
}

/** @returns whether every rule that was broken on purpose was seen to be broken */
async function teeth({ seed, report }: FaultOptions): Promise<boolean> {
  const bites = await bite(seed, tell);
  const text = `# Teeth\n\n${teethTable(bites)}\n`;
  console.log(text);
  if (report !== undefined) await save(report, text);
  return bites.every(({ outcome }) => outcome !== 'missed');
}

async function save(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
