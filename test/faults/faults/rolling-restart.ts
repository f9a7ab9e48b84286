import { setTimeout as pause } from 'node:timers/promises';
import { type AppName } from '../../../start/app-schema.js';
import { type Fault } from '../fault.js';
import { APPS, type Rig } from '../rig.js';

/** A new replica counts when it has been ready for so long: the ingress knows it then, and failures of before are repeated. */
const SETTLED_MS = 1_500;

/** SIGTERM to every process, with two of each app: never both at once. */
export function rollingRestart(): Fault {
  return {
    row: 'rolling SIGTERM restart',
    name: 'rolling restart of two replicas of each app',
    hold_ms: 0,
    isHarmless: true,
    async begin({ rig }) {
      const second = await Promise.all(APPS.map((app) => rig.startReplica(app)));
      rig.replicas.push(...second);
      await rig.ready();
      await pause(SETTLED_MS);
      return {
        async during() {
          await Promise.all(APPS.map((app) => restartInTurn(rig, app)));
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

/** As an orchestrator does it, for all apps at once: the next goes when the successor of the one before is ready. */
async function restartInTurn(rig: Rig, app: AppName): Promise<void> {
  for (const old of rig.replicas.filter((replica) => replica.app === app)) {
    await old.process.stop();
    rig.replicas = rig.replicas.filter((replica) => replica !== old);
    const successor = await rig.startReplica(app);
    rig.replicas.push(successor);
    await rig.ready();
    await pause(SETTLED_MS);
  }
}
