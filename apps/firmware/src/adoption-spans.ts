import { type AdoptionChange } from './install-history.js';

/** Lengths of the spans, longest first; each holds a whole number of the next. 0 is the millisecond itself. */
const SPANS_S = [30 * 86_400, 86_400, 3_600, 60, 0] as const;

export interface SpanChange {
  project_id: string;
  span_s: number;
  start_ms: number;
  firmware: string;
  change: number;
}

/** Spans of one length that start from `from_ms` on and before `to_ms`. */
export interface SpanRange {
  span_s: number;
  from_ms: number;
  to_ms: number;
}

function startOf(span_s: number, at_ms: number): number {
  return span_s === 0 ? at_ms : Math.floor(at_ms / (span_s * 1_000)) * span_s * 1_000;
}

/** What changes add to each span that they fall into; spans where they make up for each other are left out. */
export function spread(changes: (AdoptionChange & { project_id: string })[]): SpanChange[] {
  const sums = new Map<string, SpanChange>();
  for (const { project_id, timestamp, firmware, change } of changes) {
    for (const span_s of SPANS_S) {
      const start_ms = startOf(span_s, Date.parse(timestamp));
      const name = JSON.stringify([project_id, span_s, start_ms, firmware]);
      const sum = sums.get(name);
      if (sum) sum.change += change;
      else sums.set(name, { project_id, span_s, start_ms, firmware, change });
    }
  }
  return [...sums.values()].filter(({ change }) => change !== 0);
}

/** The spans whose sum is everything up to and with a moment: few long ones, and ever shorter ones at the end. */
export function rangesUntil(at?: Date): SpanRange[] {
  let from_ms = Number.MIN_SAFE_INTEGER;
  if (!at) return [{ span_s: SPANS_S[0], from_ms, to_ms: Number.MAX_SAFE_INTEGER }];
  return SPANS_S.map((span_s) => {
    const to_ms = span_s === 0 ? at.getTime() + 1 : startOf(span_s, at.getTime());
    const range = { span_s, from_ms, to_ms };
    from_ms = to_ms;
    return range;
  });
}
