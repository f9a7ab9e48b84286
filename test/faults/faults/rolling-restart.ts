import { setTimeout as pause } from 'node:timers/promises';
import { type AppName } from '../../../start/app-schema.js';
import { type Fault } from '../fault.js';
import { APPS, type Rig } from '../rig.js';

/** A new replica counts when it has been ready for so long: the ingress knows it then, and failures of before are repeated. */
const SETTLED_MS = 1_500;

/**
 * Two apps at a time: a start keeps a processor busy for some seconds, and here all of them share those of one machine.
 */
const LANES = [0, 1].map((lane) => APPS.filter((_, index) => index % 2 === lane));

/** SIGTERM to every process, with two of each app: never both at once. */
export function rollingRestart(): Fault {
  return {
    row: 'rolling SIGTERM restart',
    name: 'rolling restart of two replicas of each app',
    hold_ms: 0,
    isHarmless: true,
    async begin({ rig }) {
      await inLanes((app) => startOne(rig, app));
      return {
        async during() {
          await inLanes((app) => restart(rig, app));
          return [];
        },
        async end() {
          const spare = APPS.map((app) => rig.replicas.findLast((replica) => replica.app === app)!);
          rig.replicas = rig.replicas.filter((replica) => !spare.includes(replica));
          await Promise.all(spare.map(({ process }) => process.stop()));
        },
      };
    },
  };
}

async function inLanes(work: (app: AppName) => Promise<void>): Promise<void> {
  await Promise.all(
    LANES.map(async (apps) => {
      for (const app of apps) await work(app);
    }),
  );
}

/** As an orchestrator does it: the next goes when the successor of the one before is ready. */
async function restart(rig: Rig, app: AppName): Promise<void> {
  for (const old of rig.replicas.filter((replica) => replica.app === app)) {
    await old.process.stop();
    rig.replicas = rig.replicas.filter((replica) => replica !== old);
    await startOne(rig, app);
  }
}

async function startOne(rig: Rig, app: AppName): Promise<void> {
  const replica = await rig.startReplica(app);
  rig.replicas.push(replica);
  await rig.ready([replica]);
  await pause(SETTLED_MS);
}
