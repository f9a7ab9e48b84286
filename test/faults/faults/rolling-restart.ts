import { setTimeout as pause } from 'node:timers/promises';
import { type Fault } from '../fault.js';
import { APPS, type Rig } from '../rig.js';

/** Longer than the ingress takes to see a new gateway, and than what failed before takes to be repeated. */
const SETTLED_MS = 1_500;

/** SIGTERM to each process in its turn, with two of each app and a successor ready before the next one goes. */
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
          for (const app of APPS) {
            const old = rig.replicas.filter((replica) => replica.app === app);
            for (const replica of old) await replace(rig, replica);
          }
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

/** As an orchestrator does it: the old one is told to stop, and counts no more only when it has ended. */
async function replace(rig: Rig, old: Rig['replicas'][number]): Promise<void> {
  await old.process.stop();
  rig.replicas = [...rig.replicas.filter((replica) => replica !== old), await rig.startReplica(old.app)];
  await rig.ready();
}
