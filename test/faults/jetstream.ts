import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { type NatsConnection } from '@nats-io/transport-node';
import { BusConnection } from '#bus';
import { ANYTHING } from '#embedded';
import { type Rig } from './rig.js';

/** Works on JetStream from outside of the system, as one who may do anything. */
export async function onJetStream<T>(
  { nats }: Rig,
  work: (manager: JetStreamManager, nats: NatsConnection) => Promise<T>,
): Promise<T> {
  const outside = await BusConnection.open({ name: 'outside', url: nats.running.urlOf(ANYTHING.name) });
  try {
    return await work(await jetstreamManager(outside.nats), outside.nats);
  } finally {
    await outside.close();
  }
}
