import { type AppName } from '../../../start/app-schema.js';
import { type Fault } from '../fault.js';
import { needsNats } from '../write.js';

const everything = (): boolean => true;

/** kill -9 of an app; its supervisor starts it again at once. */
export function killApp(app: AppName): Fault {
  return {
    row: app === 'gateway' ? 'kill -9 gateway' : 'kill -9 a service',
    name: `kill -9 ${app}`,
    hold_ms: 0,
    killsGateway: app === 'gateway',
    async begin({ rig }) {
      rig.kill(rig.replicas.filter((replica) => replica.app === app));
      return { end: () => undefined };
    },
  };
}

export function killNats(hold_ms: number): Fault {
  return {
    row: 'kill -9 nats-server',
    name: `kill -9 nats-server, away ${hold_ms} ms`,
    hold_ms,
    async begin({ rig }) {
      await rig.nats.kill();
      return { end: () => rig.nats.restart(), prevents: needsNats };
    },
  };
}

/** The postmaster alone: its children notice and go. */
export function killPostmaster(hold_ms: number): Fault {
  return {
    row: 'kill -9 postmaster',
    name: `kill -9 postmaster, away ${hold_ms} ms`,
    hold_ms,
    async begin({ rig }) {
      await rig.postgres.kill();
      return { end: () => rig.postgres.restart(), prevents: everything };
    },
  };
}

/** Every process there is, at the same moment. */
export function killAll(hold_ms: number): Fault {
  return {
    row: 'kill -9 all at once',
    name: `kill -9 everything, servers away ${hold_ms} ms`,
    hold_ms,
    killsGateway: true,
    async begin({ rig }) {
      rig.kill(rig.replicas);
      await Promise.all([rig.postgres.killFamily(), rig.nats.killFamily()]);
      return {
        prevents: everything,
        async end() {
          await Promise.all([rig.postgres.restart(), rig.nats.restart()]);
        },
      };
    },
  };
}
