import { setTimeout as pause } from 'node:timers/promises';
import { type FeedKind } from '#contracts';
import { feedSubject, streamName } from '#feeds';
import { eventually, queryDatabase } from '#testing';
import { type Fault } from '../fault.js';
import { onJetStream } from '../jetstream.js';
import { CONSUMER, type Rig } from '../rig.js';

const ROW = 'redelivery, dropped acks, poison';
const POISONED_AT_ONCE = 3;

/** What no consumer knows: as of a release that is not there yet. */
export const POISON = 'faults.poison';

/** The consumer's acknowledgements are lost, so that what it has had comes again. */
export function lostAcks(hold_ms: number): Fault {
  return {
    row: ROW,
    name: `acks lost for ${hold_ms} ms`,
    hold_ms,
    begin({ rig }) {
      return Promise.resolve({
        during: () => loseAcks(rig, hold_ms),
        end: () => void (rig.acks.areLost = false),
      });
    },
  };
}

/** The consumer dies between an effect and its acknowledgement, and what it has had comes to its successor. */
export function lostAcksAndKill(hold_ms: number): Fault {
  return {
    row: ROW,
    name: `acks lost for ${hold_ms} ms, then kill -9 ${CONSUMER}`,
    hold_ms,
    begin({ rig }) {
      return Promise.resolve({
        during: () => loseAcks(rig, hold_ms),
        end() {
          rig.kill(rig.replicas.filter(({ app }) => app === CONSUMER));
          rig.acks.areLost = false;
        },
      });
    },
  };
}

/** For so long, and on until one was lost. Rejects when none ever is. */
async function loseAcks({ acks }: Rig, hold_ms: number): Promise<string[]> {
  const { lost } = acks;
  acks.areLost = true;
  await pause(hold_ms);
  await eventually(() => {
    if (acks.lost === lost) throw new Error('the consumer has said nothing that could be lost');
  });
  return [];
}

/** JetStream forgets how far the consumer was: all comes again. */
export function forgottenConsumer(): Fault {
  return {
    row: ROW,
    name: `consumer ${CONSUMER} forgotten`,
    hold_ms: 0,
    async begin({ rig }) {
      // After a fault that has wiped JetStream it may be made anew only now.
      const forget = (): Promise<boolean> =>
        onJetStream(rig, ({ consumers }) => consumers.delete(streamName('audit'), CONSUMER));
      await eventually(forget);
      return { end: () => undefined };
    },
  };
}

/** Entries that the consumer cannot digest, among those that it can. */
export function poison(hold_ms: number): Fault {
  return {
    row: ROW,
    name: `${POISONED_AT_ONCE} entries that nobody can digest`,
    hold_ms,
    async begin({ rig, projects }) {
      const put = (): Promise<unknown> =>
        queryDatabase(
          rig.postgres.running.url,
          `INSERT INTO auth.audit_entries (project_id, id, at, action, subject_id, subject, who, origin, details)
           VALUES ($1, uuidv7(), now(), $2, '', '', '{}', '{}', '{}')`,
          [projects[0]!.id, POISON],
        );
      return {
        async during() {
          for (let count = 0; count < POISONED_AT_ONCE; count += 1) {
            await put();
            await pause(hold_ms / POISONED_AT_ONCE);
          }
          return [];
        },
        end: () => undefined,
      };
    },
  };
}

/** Somebody has published what is no batch to the subject of a feed. */
export function strayMessage(kind: FeedKind): Fault {
  return {
    row: ROW,
    name: `a stray message in the feed of ${kind}`,
    hold_ms: 0,
    async begin({ rig }) {
      await onJetStream(rig, async (_, nats) => {
        nats.publish(feedSubject(kind), 'hello');
        await nats.flush();
      });
      return { end: () => undefined };
    },
  };
}
