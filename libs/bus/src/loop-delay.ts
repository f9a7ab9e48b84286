import { monitorEventLoopDelay } from 'node:perf_hooks';

// Each sample wakes the process: finer ones would be most of what an idle app does.
const RESOLUTION_MS = 50;
const SAMPLE_MS = 1_000;

/**
 * How far the event loop of this process is behind, in milliseconds: the lesser mean of the last two seconds, so that one
 * long turn, which is over by then, is no overload.
 */
export class LoopDelay {
  ms = 0;
  private last_ms = 0;
  private readonly histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.histogram.enable();
    this.timer = setInterval(() => this.sample(), SAMPLE_MS).unref();
  }

  close(): void {
    clearInterval(this.timer);
    this.histogram.disable();
  }

  private sample(): void {
    // Without a single turn in all of the time there is no mean.
    const sampled_ms = this.histogram.count === 0 ? Infinity : this.histogram.mean / 1e6 - RESOLUTION_MS;
    this.ms = Math.min(this.last_ms, sampled_ms);
    this.last_ms = sampled_ms;
    this.histogram.reset();
  }
}
