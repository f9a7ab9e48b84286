import { DIRECTIONS, eventually, Link } from '#testing';
import { type Fault } from '../fault.js';
import { probeRevocation } from '../revocation-probe.js';

/** A second gateway hears nothing of Postgres any more, and a key that it knows is taken away at the first. */
export function cutOffGateway(): Fault {
  return {
    row: 'key revoked past a gateway that is cut off',
    name: 'a second gateway is cut off from Postgres, and a key that it knows is revoked',
    hold_ms: 0,
    async begin({ rig, projects }) {
      const link = await Link.to(rig.postgres.port);
      const gateway = await rig.startReplica('gateway', link);
      rig.replicas.push(gateway);
      await rig.ready([gateway]);
      return {
        during: () =>
          eventually(() => {
            link.heal();
            return probeRevocation({ rig, projects }, () => link.silence(DIRECTIONS));
          }),
        async end() {
          link.heal();
          rig.replicas = rig.replicas.filter((replica) => replica !== gateway);
          await gateway.process.stop();
          link.close();
        },
      };
    },
  };
}
