import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type AppName } from '../../start/app-schema.js';
import { type Fault } from './fault.js';
import { cutOffGateway } from './faults/cut-off-gateway.js';
import { forgottenConsumer, lostAcksAndKill } from './faults/deliveries.js';
import { HOT_KINDS, hotRow } from './faults/hot-row.js';
import { wipedJetStream } from './faults/jetstream.js';
import { killApp, killPostmaster } from './faults/kill.js';
import { OUTLASTING_MS, pauseApp } from './faults/pause.js';
import { powerCut } from './faults/power-cut.js';
import { slowPostgres } from './faults/slow-postgres.js';
import { expectNamed, isWanted } from './options.js';
import { APPS, CONSUMER } from './rig.js';
import { lived, type Verdict } from './run.js';

/** A rule of the product, broken on purpose in its running processes, and the checks that must see it. */
interface Tooth {
  name: string;
  /** File in `teeth/`, loaded into these apps before they start. */
  file: string;
  apps: readonly AppName[];
  faults: readonly Fault[];
  /** Any of these is enough. */
  caughtBy: readonly string[];
  /** Whether another rule stands behind it, so that they are to see nothing. */
  isHeld?: boolean;
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
    // Not the gateway: whose key is lost writes no more.
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
    faults: [pauseApp('activity-events', OUTLASTING_MS)],
    caughtBy: ['C7 silent'],
  },
  {
    name: 'relays read id > last',
    file: 'ids-above-the-last',
    apps: APPS,
    faults: HOT_KINDS.map((kind) => hotRow(kind, 4_000)),
    caughtBy: ['C2 lost on the way'],
  },
  {
    name: 'streams are not filled again',
    file: 'unfilled-streams',
    apps: SERVICES,
    faults: [wipedJetStream(500)],
    caughtBy: ['C2 lost on the way'],
  },
  {
    name: 'keys are believed without a lease',
    file: 'trust-without-lease',
    apps: ['gateway'],
    faults: [cutOffGateway()],
    caughtBy: ['revoked keys that opened'],
  },
  {
    name: 'a consumer without an inbox',
    file: 'no-inbox',
    apps: [CONSUMER],
    faults: [lostAcksAndKill(1_500), forgottenConsumer()],
    caughtBy: ['C2 repeated on the way', 'C2 made up on the way'],
  },
  {
    name: 'the projects of a connection leak to its next user, and lists forget theirs',
    file: 'leaking-projects',
    apps: ['activity-events'],
    faults: [slowPostgres(10_000)],
    caughtBy: ['C6 foreign ids in answers'],
  },
  {
    name: 'lists forget their project, and nothing leaks',
    file: 'forgetful-lists',
    apps: ['activity-events'],
    faults: [slowPostgres(10_000)],
    caughtBy: ['C6 foreign ids in answers'],
    isHeld: true,
  },
];

export interface Bite {
  name: string;
  /** `skipped` where the machine cannot do it; `held` when another rule stood behind it, as it should. */
  outcome: 'caught' | 'missed' | 'skipped' | 'held';
  by: string;
}

/** Breaks each rule in turn, in a system of its own, and looks whether the checks see it. */
export async function bite(
  seed: number,
  only: readonly string[],
  tell: (line: string) => void,
): Promise<Bite[]> {
  expectNamed(
    TEETH.map(({ name }) => name),
    only,
  );
  const bites: Bite[] = [];
  for (const tooth of TEETH.filter(({ name }) => isWanted(name, only))) {
    const result = await biteOnce(tooth, seed, tell);
    tell(`${result.name}: ${result.outcome} ${result.by}`);
    bites.push(result);
  }
  return bites;
}

async function biteOnce(
  { name, file, apps, faults, caughtBy, isHeld = false }: Tooth,
  seed: number,
  tell: (line: string) => void,
): Promise<Bite> {
  const url = pathToFileURL(join(import.meta.dirname, 'teeth', `${file}.js`)).href;
  const environment = Object.fromEntries(apps.map((app) => [app, { NODE_OPTIONS: `--import=${url}` }]));
  const { skipped, verdict } = await lived({ seed, rate: 100, environment, tell }, async (run) => ({
    skipped: await run.strike(faults),
    verdict: await run.rest(SETTLE_MS).then(() => run.judge({ keep: false })),
  }));

  const by = caught(verdict, caughtBy);
  if (isHeld) return { name, outcome: by === '' ? 'held' : 'missed', by };
  if (by !== '') return { name, outcome: 'caught', by };
  return { name, outcome: skipped > 0 ? 'skipped' : 'missed', by };
}

function caught({ findings }: Verdict, caughtBy: readonly string[]): string {
  return findings
    .filter(({ check, violations }) => caughtBy.includes(check) && violations.length > 0)
    .map(({ check, violations }) => `${check} (${violations.length})`)
    .join(', ');
}
