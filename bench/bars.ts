import { type Standing } from './rounds.js';

/** A figure that was promised, and what it turned out to be. */
export interface Bar {
  /** What is measured. */
  what: string;
  /** What it is held against; empty when the promise is a figure by itself. */
  baseline: string;
  promise: string;
  result: string;
  met: boolean;
}

/** Of what is asked. Some baselines refuse a few where many wait for one lock. */
const REFUSED_SHARE = 0.01;

/** A figure of whoever refused more is none. */
function haveAnswered(...standings: Standing[]): boolean {
  return standings.every(({ acknowledged, failed }) => failed <= REFUSED_SHARE * (acknowledged + failed));
}

/** At least `factor` times as many requests a second as the baseline. */
export function rateAtLeast(what: string, factor: number, mine: Standing, baseline: Standing): Bar {
  const ratio = mine.rate.median / baseline.rate.median;
  return {
    what,
    baseline: `${baseline.name}: ${perSecond(baseline)}`,
    promise: `≥ ${factor} ×`,
    result: `${perSecond(mine)}, ${ratio.toFixed(2)} ×`,
    met: haveAnswered(mine, baseline) && Number.isFinite(ratio) && ratio >= factor,
  };
}

/** A request costs at most `factor` times as much as with the baseline: that much lower the rate may be. */
export function rateWithin(what: string, factor: number, mine: Standing, baseline: Standing): Bar {
  const ratio = baseline.rate.median / mine.rate.median;
  return {
    what,
    baseline: `${baseline.name}: ${perSecond(baseline)}`,
    promise: `within ${factor} ×`,
    result: `${perSecond(mine)}, ${ratio.toFixed(2)} ×`,
    met: haveAnswered(mine, baseline) && ratio <= factor,
  };
}

/** A median latency of at most `factor` times the baseline's. */
export function p50Within(what: string, factor: number, mine: Standing, baseline: Standing): Bar {
  return latencyWithin(`${what}, p50`, factor, mine, baseline, 'p50_ms');
}

/** A latency that 99 of 100 requests keep, of at most `factor` times the baseline's. */
export function p99Within(what: string, factor: number, mine: Standing, baseline: Standing): Bar {
  return latencyWithin(`${what}, p99`, factor, mine, baseline, 'p99_ms');
}

/** A median latency of at most `limit_ms`. */
export function p50AtMost(what: string, limit_ms: number, mine: Standing): Bar {
  return atMost(`${what}, p50`, limit_ms, mine, 'p50_ms');
}

/** A latency that 99 of 100 requests keep, of at most `limit_ms`. */
export function p99AtMost(what: string, limit_ms: number, mine: Standing): Bar {
  return atMost(`${what}, p99`, limit_ms, mine, 'p99_ms');
}

/** A count that must be nothing. */
export function none(what: string, count: number): Bar {
  return { what, baseline: '', promise: 'none', result: String(count), met: count === 0 };
}

function latencyWithin(
  what: string,
  factor: number,
  mine: Standing,
  baseline: Standing,
  figure: 'p50_ms' | 'p99_ms',
): Bar {
  const [mine_ms, baseline_ms] = [mine[figure].median, baseline[figure].median];
  const ratio = mine_ms / baseline_ms;
  return {
    what,
    baseline: `${baseline.name}: ${milliseconds(baseline_ms)}`,
    promise: `≤ ${factor} ×`,
    result: `${milliseconds(mine_ms)}, ${ratio.toFixed(2)} ×`,
    met: haveAnswered(mine, baseline) && ratio <= factor,
  };
}

function atMost(what: string, limit_ms: number, mine: Standing, figure: 'p50_ms' | 'p99_ms'): Bar {
  const measured_ms = mine[figure].median;
  return {
    what,
    baseline: '',
    promise: `≤ ${limit_ms} ms`,
    result: milliseconds(measured_ms),
    met: haveAnswered(mine) && measured_ms <= limit_ms,
  };
}

function perSecond({ rate }: Standing): string {
  return `${rate.median.toFixed(0)}/s`;
}

function milliseconds(value: number): string {
  return `${value.toFixed(2)} ms`;
}
