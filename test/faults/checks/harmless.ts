import { exchanges, sentenceOf } from '../history.js';
import { type Evidence } from './evidence.js';

/**
 * A restart in turns: no request fails. What counts is what a client behind the ingress sees: any answer but the right
 * one and any cut connection that the ingress could not pass on to another gateway.
 */
export function disturbed({ history, struck }: Evidence): string[] {
  const restarts = struck.filter(({ isHarmless }) => isHarmless);
  return exchanges(history)
    .filter(
      ({ isWell, at, took_ms }) =>
        !isWell &&
        restarts.some(({ held_at, ending_at }) => at - took_ms >= held_at && at - took_ms < ending_at),
    )
    .map(sentenceOf);
}
