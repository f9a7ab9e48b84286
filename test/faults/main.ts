import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Random } from '../../bench/random.js';
import { expectNamed, faultOptions, isWanted, type FaultOptions } from './options.js';
import { headOf, sectionOf, teethTable } from './report.js';
import { lived } from './run.js';
import { schedule, type Part } from './schedule.js';
import { bite } from './teeth.js';

const RATE = 30;
/** What the quick tier promises. */
const LEAST_ACKNOWLEDGED = 10_000;
/** Without faults that last, each project has still to be written to: of what came before its stream, nothing arrives there. */
const LEAST_WITHOUT_FAULTS = 300;

/** By which `--only` knows overloads. */
const OVERLOAD = 'overload';

/** Checks of how long something took, which a slow machine may explain. */
const TIMED = ['C5 late', 'C7 late', 'overload slow'];

const options = faultOptions(process.argv.slice(2));
const tell = (line: string): void => console.error(line);
// The tree as it is begun on, whatever is committed meanwhile.
const head = headOf(options);
tell(`seed ${options.seed}`);
process.exit((options.teeth ? await teeth(options) : await faults(options)) ? 0 : 1);

/** @returns whether every promise held */
async function faults(chosen: FaultOptions): Promise<boolean> {
  const { tier, seed, report, only, untimed } = chosen;
  const texts: string[] = [];
  let isKept = true;
  for (const { name, faults, overloads } of parts(chosen)) {
    tell(`${name}: ${faults.length} faults`);
    const { verdict, skipped } = await lived({ seed, rate: RATE, tell }, async (run) => {
      const skipped = await run.strike(faults);
      if (skipped > 0) tell(`SKIPPED: ${skipped} faults that need file systems of their own`);
      await run.acknowledge(
        only.length === 0 && tier === 'quick' ? LEAST_ACKNOWLEDGED : LEAST_WITHOUT_FAULTS,
      );
      await run.rest();
      for (let turn = 0; turn < overloads; turn += 1) await run.overload();
      return { skipped, verdict: await run.judge() };
    });
    isKept &&= verdict.findings.every(
      ({ check, violations }) => violations.length === 0 || (untimed && TIMED.includes(check)),
    );
    texts.push(sectionOf(name, verdict, skipped));
    console.log(texts.at(-1));
  }
  if (report !== undefined) await save(report, [head, ...texts].join('\n\n'));
  return isKept;
}

/** With what is wanted of each. @throws an Error that names what there is, when it is none of that */
function parts({ tier, seed, part, only }: FaultOptions): Part[] {
  const all = schedule(tier, new Random(seed));
  const chosen = all.filter(({ name }) => part === undefined || name === part);
  if (chosen.length === 0) throw new Error(`--part must be one of ${all.map(({ name }) => name).join(', ')}`);
  const names = chosen.flatMap(({ faults, overloads }) => [
    ...faults.map((fault) => fault.name),
    ...(overloads > 0 ? [OVERLOAD] : []),
  ]);
  expectNamed([...new Set(names)], only);
  return chosen
    .map(({ name, faults, overloads }) => ({
      name,
      faults: faults.filter((fault) => isWanted(fault.name, only)),
      overloads: isWanted(OVERLOAD, only) ? overloads : 0,
    }))
    .filter(({ faults, overloads }) => faults.length + overloads > 0);
}

/** @returns whether every rule that was broken on purpose was seen to be broken */
async function teeth({ seed, report, only }: FaultOptions): Promise<boolean> {
  const bites = await bite(seed, only, tell);
  const text = `${head}\n\n${teethTable(bites)}\n`;
  console.log(text);
  if (report !== undefined) await save(report, text);
  return bites.every(({ outcome }) => outcome !== 'missed');
}

async function save(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
