import { type Fault } from '../fault.js';
import { freeze } from '../kept-server.js';

/** The servers' disks as a power cut leaves them: what was never synchronized is gone. */
export function powerCut(hold_ms: number): Fault {
  return {
    row: 'power cut of Postgres and NATS',
    name: `power cut of Postgres and NATS, away ${hold_ms} ms`,
    hold_ms,
    needsVolumes: true,
    async begin({ rig }) {
      const { postgres, nats } = rig.volumes!;
      await freeze(rig.postgres, rig.nats);
      await Promise.all([postgres.snapshot(), nats.snapshot()]);
      await Promise.all([rig.postgres.killFamily(), rig.nats.killFamily()]);
      await Promise.all([postgres.returnToSnapshot(), nats.returnToSnapshot()]);
      return {
        prevents: () => true,
        async end() {
          await Promise.all([rig.postgres.restart(), rig.nats.restart()]);
        },
      };
    },
  };
}
