import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fault } from '../fault.js';
import { needsNats } from '../write.js';

/** NATS comes back with nothing of what JetStream had: feeds, consumers and dead letters. */
export function wipedJetStream(hold_ms: number): Fault {
  return {
    row: 'JetStream data wiped while down',
    name: `JetStream's data wiped, NATS away ${hold_ms} ms`,
    hold_ms,
    async begin({ rig }) {
      await rig.nats.kill();
      await rm(join(rig.nats_directory, 'jetstream'), { recursive: true });
      return { end: () => rig.nats.restart(), prevents: needsNats };
    },
  };
}

/** No room left for JetStream. */
export function fullJetStream(hold_ms: number): Fault {
  return {
    row: 'JetStream store full',
    name: `JetStream store full for ${hold_ms} ms`,
    hold_ms,
    needsVolumes: true,
    async begin({ rig }) {
      return { end: await rig.volumes!.nats.fill() };
    },
  };
}
