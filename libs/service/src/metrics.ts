import { Injectable } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/**
 * Between two samples of the event loop, whose lag is exposed with this time in it. Each wakes the process: finer ones would
 * be most of what an idle app does.
 */
export const LOOP_SAMPLE_MS = 50;

/** An app's metrics, served as Prometheus text at `/metrics` of its private listener. */
@Injectable()
export class Metrics {
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({
      register: this.registry,
      prefix: 'flotilla_',
      eventLoopMonitoringPrecision: LOOP_SAMPLE_MS,
    });
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** All metrics as they are now. */
  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** A number read whenever somebody asks. */
  gauge(name: string, help: string, read: () => number): void {
    const registers = [this.registry];
    new Gauge({
      name: `flotilla_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  }

  /** A number that only grows. */
  counter<Label extends string>(name: string, help: string, labelNames: Label[]): Counter<Label> {
    return new Counter({ name: `flotilla_${name}`, help, labelNames, registers: [this.registry] });
  }

  /** A distribution, in the unit that its name ends with. */
  histogram<Label extends string>(
    name: string,
    help: string,
    buckets: number[],
    labelNames: Label[],
  ): Histogram<Label> {
    return new Histogram({ name: `flotilla_${name}`, help, buckets, labelNames, registers: [this.registry] });
  }
}
