import { type AppName } from '../../../start/app-schema.js';
import { type Fault } from '../fault.js';
import { signal } from '../kept-server.js';
import { PATIENCE_MS } from '../ingress.js';
import { needsNats, WRITER } from '../write.js';

/** Longer than any caller waits: of a call without a deadline nobody hears anything, on however slow a machine. */
export const OUTLASTING_MS = PATIENCE_MS + 5_000;

const ROW = 'pause (SIGSTOP) of a process';
const everything = (): boolean => true;

export function pauseApp(app: AppName, hold_ms: number): Fault {
  return {
    row: ROW,
    name: `pause ${app} for ${hold_ms} ms`,
    hold_ms,
    stillsGateway: app === 'gateway',
    async begin({ rig }) {
      const pids = rig.replicas.flatMap(({ app: one, process }) => (one === app ? (process.pid ?? []) : []));
      signal(pids, 'SIGSTOP');
      return {
        end: () => signal(pids, 'SIGCONT'),
        prevents: app === 'gateway' ? everything : ({ kind }) => WRITER[kind] === app,
      };
    },
  };
}

export function pauseServer(server: 'postgres' | 'nats', hold_ms: number): Fault {
  return {
    row: ROW,
    name: `pause ${server} for ${hold_ms} ms`,
    hold_ms,
    async begin({ rig }) {
      await rig[server].freeze();
      return { end: () => rig[server].thaw(), prevents: server === 'nats' ? needsNats : everything };
    },
  };
}
