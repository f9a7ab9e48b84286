import { isSuccess } from '../history.js';
import { type Evidence } from './evidence.js';

/**
 * A restart in turns: no request fails. What counts is what a client behind the ingress sees: any answer but 2xx
 * and any cut connection that the ingress could not pass on to another gateway.
 */
export function disturbed({ history, struck }: Evidence): string[] {
  const restarts = struck.filter(({ isHarmless }) => isHarmless);
  return history.sent.flatMap(({ write, answers, cuts }) =>
    [...answers.filter((answer) => !isSuccess(answer)), ...cuts]
      .filter(({ at, took_ms }) =>
        restarts.some(({ held_at, ending_at }) => at - took_ms >= held_at && at - took_ms < ending_at),
      )
      .map(
        (one) =>
          `${write.kind} ${write.trace}: ${'status' in one ? `${one.status} ${one.body}` : one.reason}`,
      ),
  );
}
