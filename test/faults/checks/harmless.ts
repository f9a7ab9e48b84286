import { isSuccess } from '../history.js';
import { type Evidence } from './evidence.js';

/**
 * A restart in turns: no request fails, as a client behind the ingress sees it. First, none is cut off that the ingress
 * could not pass on to another gateway.
 */
export function cutOff({ history, struck }: Evidence): string[] {
  return history.sent.flatMap(({ write, cuts }) =>
    cuts.filter(whileRestarting(struck)).map(({ reason }) => `${write.kind} ${write.trace}: ${reason}`),
  );
}

/** Second, none is refused; where nobody has processors to spare for those that start, some may wait too long. */
export function refused({ history, struck }: Evidence): string[] {
  return history.sent.flatMap(({ write, answers }) =>
    answers
      .filter((answer) => !isSuccess(answer))
      .filter(whileRestarting(struck))
      .map(({ status, body }) => `${write.kind} ${write.trace}: ${status} ${body}`),
  );
}

function whileRestarting(struck: Evidence['struck']): (one: { at: number; took_ms: number }) => boolean {
  const restarts = struck.filter(({ isHarmless }) => isHarmless);
  return ({ at, took_ms }) =>
    restarts.some(({ held_at, ending_at }) => at - took_ms >= held_at && at - took_ms < ending_at);
}
