import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AppName } from '../../start/app-schema.js';
import { type Fault } from './fault.js';
import { killApp, killPostmaster } from './faults/kill.js';
import { pauseApp } from './faults/pause.js';
import { powerCut } from './faults/power-cut.js';
import { isWanted } from './options.js';
import { APPS } from './rig.js';
import { lived, Run, type Verdict } from './run.js';

/** A rule of the product, broken on purpose in its running processes, and the checks that must see it. */
interface Tooth {
  name: string;
  /** File in `teeth/`, loaded into these apps before they start. */
  file: string;
  apps: readonly AppName[];
  faults: readonly Fault[];
  /** Any of these is enough. */
  caughtBy: readonly string[];
}

const SERVICES = APPS.filter((app) => app !== 'gateway');
/** What a broken rule has lost never arrives. */
const SETTLE_MS = 15_000;
const KILLS = Array.from({ length: 4 }, () => killPostmaster(100));

const TEETH: readonly Tooth[] = [
  {
    name: 'acknowledges before COMMIT',
    file: 'acknowledge-before-commit',
    apps: SERVICES,
    faults: KILLS,
    caughtBy: ['C1 lost'],
  },
  {
    name: 'synchronous_commit is off',
    file: 'asynchronous-commit',
    apps: SERVICES,
    faults: Array.from({ length: 3 }, () => powerCut(100)),
    caughtBy: ['C1 lost'],
  },
  {
    name: 'idempotency keys in a transaction of their own',
    file: 'keys-apart',
    apps: SERVICES,
    faults: [...KILLS, ...SERVICES.map(killApp)],
    caughtBy: ['C1 lost', 'C2 row and key apart'],
  },
  {
    name: 'calls have no deadline',
    file: 'no-deadline',
    apps: ['gateway'],
    faults: [pauseApp('activity-events', 15_000)],
    caughtBy: ['C7 late'],
  },
];

export interface Bite {
  name: string;
  /** `skipped` where the machine cannot do it. */
  outcome: 'caught' | 'missed' | 'skipped';
  by: string;
}

/** Breaks each rule in turn, in a system of its own, and looks whether the checks see it. */
export async function bite(
  seed: number,
  only: readonly string[],
  tell: (line: string) => void,
): Promise<Bite[]> {
  const bites: Bite[] = [];
  for (const tooth of TEETH.filter(({ name }) => isWanted(name, only))) {
    const result = await biteOnce(tooth, seed, tell);
    tell(`${result.name}: ${result.outcome} ${result.by}`);
    bites.push(result);
  }
  return bites;
}

async function biteOnce(
  { name, file, apps, faults, caughtBy }: Tooth,
  seed: number,
  tell: (line: string) => void,
): Promise<Bite> {
  const url = pathToFileURL(join(import.meta.dirname, 'teeth', `${file}.js`)).href;
  const environment = Object.fromEntries(apps.map((app) => [app, { NODE_OPTIONS: `--import=${url}` }]));
  const run = await Run.start({ seed, rate: 100, environment, tell });
  const { skipped, verdict } = await lived(run, async () => ({
    skipped: await run.strike(faults),
    verdict: await run.rest(SETTLE_MS).then(() => run.judge({ keep: false })),
  }));

  const by = caught(verdict, caughtBy);
  if (by !== '') return { name, outcome: 'caught', by };
  return { name, outcome: skipped > 0 ? 'skipped' : 'missed', by };
}

function caught({ findings }: Verdict, caughtBy: readonly string[]): string {
  return findings
    .filter(({ check, violations }) => caughtBy.includes(check) && violations.length > 0)
    .map(({ check, violations }) => `${check} (${violations.length})`)
    .join(', ');
}
