/** A figure that was promised, and what it turned out to be. */
export interface Bar {
  promise: string;
  measured: string;
  met: boolean;
}

/** At least `factor` times as much as the other. */
export function atLeast(what: string, factor: number, mine: number, other: number): Bar {
  const ratio = mine / other;
  return { promise: `${what} ≥ ${factor} ×`, measured: `${ratio.toFixed(2)} ×`, met: ratio >= factor };
}

/** At most `factor` times as much as the other. */
export function atMost(what: string, factor: number, mine: number, other: number): Bar {
  const ratio = mine / other;
  return { promise: `${what} ≤ ${factor} ×`, measured: `${ratio.toFixed(2)} ×`, met: ratio <= factor };
}

/** A count that must be nothing. */
export function none(what: string, count: number): Bar {
  return { promise: `no ${what}`, measured: String(count), met: count === 0 };
}

/** Milliseconds that must not be more than `limit_ms`. */
export function within(what: string, limit_ms: number, measured_ms: number): Bar {
  return {
    promise: `${what} ≤ ${limit_ms} ms`,
    measured: `${measured_ms.toFixed(1)} ms`,
    met: measured_ms <= limit_ms,
  };
}
