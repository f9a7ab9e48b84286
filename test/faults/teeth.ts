import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AppName } from '../../start/app-schema.js';
import { type Fault } from './fault.js';
import { killApp, killPostmaster } from './faults/kill.js';
import { pauseApp } from './faults/pause.js';
import { powerCut } from './faults/power-cut.js';
import { APPS, type Rig } from './rig.js';
import { Run, type Verdict } from './run.js';

/** A rule of the product, broken on purpose in its running processes, and the checks that must see it. */
interface Tooth {
  name: string;
  /** File in `teeth/`, loaded into these apps before they start. */
  file: string;
  apps: readonly AppName[];
  /** @returns undefined where this machine cannot do it */
  faults: (rig: Rig) => readonly Fault[] | undefined;
  /** Any of these is enough. */
  caughtBy: readonly string[];
}

const SERVICES = APPS.filter((app) => app !== 'gateway');
const KILLS = Array.from({ length: 4 }, () => killPostmaster(100));

const TEETH: readonly Tooth[] = [
  {
    name: 'acknowledges before COMMIT',
    file: 'acknowledge-before-commit',
    apps: SERVICES,
    faults: () => KILLS,
    caughtBy: ['C1 lost'],
  },
  {
    name: 'synchronous_commit is off',
    file: 'asynchronous-commit',
    apps: SERVICES,
    faults: ({ volumes }) => volumes && [powerCut(volumes, 100), powerCut(volumes, 100)],
    caughtBy: ['C1 lost'],
  },
  {
    name: 'idempotency keys in a transaction of their own',
    file: 'keys-apart',
    apps: SERVICES,
    faults: () => [...KILLS, ...SERVICES.map(killApp)],
    caughtBy: ['C1 lost', 'C2 row and key apart'],
  },
  {
    name: 'calls have no deadline',
    file: 'no-deadline',
    apps: ['gateway'],
    faults: () => [pauseApp('activity-events', 15_000)],
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
export async function bite(seed: number, tell: (line: string) => void): Promise<Bite[]> {
  const bites: Bite[] = [];
  for (const tooth of TEETH) {
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
  const planned = faults(run.rig);
  if (!planned) {
    await run.workload.stop();
    await run.stop();
    return { name, outcome: 'skipped', by: '' };
  }
  await run.strike(planned);
  const verdict = await run.judge({ keep: false });
  const by = caught(verdict, caughtBy);
  return { name, outcome: by === '' ? 'missed' : 'caught', by };
}

function caught({ findings }: Verdict, caughtBy: readonly string[]): string {
  return findings
    .filter(({ check, violations }) => caughtBy.includes(check) && violations.length > 0)
    .map(({ check, violations }) => `${check} (${violations.length})`)
    .join(', ');
}
