import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** This process's metrics, served at `/metrics` of the private listener. */
export const metrics = new Registry();

collectDefaultMetrics({ register: metrics, prefix: 'flotilla_' });

/** A number that only grows. Names end in what they count, `_total`. */
export function counter<Label extends string>(
  name: string,
  help: string,
  labelNames: Label[] = [],
): Counter<Label> {
  return new Counter({ name: `flotilla_${name}`, help, labelNames, registers: [metrics] });
}

/** A number read when asked for. */
export function gauge(name: string, help: string, read: () => number): Gauge {
  return new Gauge({
    name: `flotilla_${name}`,
    help,
    registers: [metrics],
    collect() {
      this.set(read());
    },
  });
}

/** A distribution, in the unit its name ends with. */
export function histogram<Label extends string>(
  name: string,
  help: string,
  buckets: number[],
  labelNames: Label[] = [],
): Histogram<Label> {
  return new Histogram({ name: `flotilla_${name}`, help, buckets, labelNames, registers: [metrics] });
}
