import { type Struck } from '../fault.js';
import { acknowledged, exchanges, sentenceOf, type Exchange } from '../history.js';
import { type Evidence } from './evidence.js';

/** A call has 5 s; the rest is for a machine that has other things to do. */
const DEADLINE_MS = 10_000;

/** C7: nobody acknowledged a write from its beginning to its end within a fault that made it impossible. */
export function impossible({ history, struck }: Evidence): string[] {
  return history.sent.flatMap((sent) => {
    const answer = acknowledged(sent);
    if (!answer) return [];
    return struck
      .filter(
        ({ held_at, ending_at, prevents }) =>
          prevents?.(sent.write) && sent.invoked_at > held_at && answer.at < ending_at,
      )
      .map(({ name }) => `${sent.write.kind} ${sent.write.trace} was acknowledged during: ${name}`);
  });
}

/** C7: what fails for a time says 503 and `Retry-After`; only a gateway that is dead or stands still says nothing. */
export function unexplained({ history, struck }: Evidence): string[] {
  return exchanges(history)
    .filter((one) => !one.isWell)
    .filter((one) =>
      'cut' in one
        ? !struck.some((fault) => touches(one, fault.began_at, goneUntil(fault)))
        : one.status !== 503 || one.retry_after === null,
    )
    .map(sentenceOf);
}

/** C7: every answer comes within the deadline, unless the gateway itself stood still. */
export function late(evidence: Evidence): string[] {
  return withAMovingGateway(evidence)
    .filter(({ took_ms }) => took_ms > DEADLINE_MS)
    .map(sentenceOf);
}

/** C7: nobody waits in vain, however slow the machine is. */
export function silent(evidence: Evidence): string[] {
  return withAMovingGateway(evidence)
    .filter((one) => 'cut' in one && one.cut === 'silent')
    .map(sentenceOf);
}

function withAMovingGateway({ history, struck }: Evidence): Exchange[] {
  const still = struck.filter(({ stillsGateway }) => stillsGateway);
  return exchanges(history).filter(
    (one) => !still.some(({ began_at, healed_at }) => touches(one, began_at, healed_at)),
  );
}

/** A gateway that was killed is there again when everything is ready. */
function goneUntil({ killsGateway, stillsGateway, healed_at, recovered_ms = Infinity }: Struck): number {
  if (killsGateway) return healed_at + recovered_ms;
  return stillsGateway ? healed_at : -Infinity;
}

function touches({ at, took_ms }: Exchange, from: number, to: number): boolean {
  return at - took_ms < to && at > from;
}
