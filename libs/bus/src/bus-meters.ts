import { Failure, type Outcome } from '#contracts';

interface Counter {
  inc(labels: Record<string, string>, count: number): void;
}

interface Histogram {
  observe(labels: Record<string, string>, value: number): void;
}

/** What the bus needs of an app's metrics; `Metrics` of libs/service has it. */
export interface MeterRegistry {
  counter(name: string, help: string, labels: string[]): Counter;
  histogram(name: string, help: string, buckets: number[], labels: string[]): Histogram;
}

const BUCKETS_S = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const BUCKETS_CALLS = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/** What the bus counts, at both ends. Once for each frame, however many calls are in it. */
export class BusMeters {
  private readonly waits: Histogram;
  private readonly sizes: Histogram;
  private readonly times: Histogram;
  private readonly outcomes: Counter;

  constructor(registry: MeterRegistry) {
    const ofSubject = ['subject'];
    this.waits = registry.histogram(
      'bus_frame_wait_seconds',
      'How long the first call of a frame waited for it to leave.',
      BUCKETS_S,
      ofSubject,
    );
    this.sizes = registry.histogram(
      'bus_frame_calls',
      'Calls of a frame that came in.',
      BUCKETS_CALLS,
      ofSubject,
    );
    this.times = registry.histogram(
      'bus_handler_seconds',
      'From the start of a handler to its outcomes.',
      BUCKETS_S,
      ofSubject,
    );
    this.outcomes = registry.counter(
      'bus_handled_calls_total',
      'Calls by what became of them: ok, expired before their turn, refused for too much work, or the code of a failure.',
      ['subject', 'outcome'],
    );
  }

  /** A frame leaves, whose first call has waited so long. */
  left(subject: string, waited_ms: number): void {
    this.waits.observe({ subject }, waited_ms / 1000);
  }

  /** A frame of so many calls has come. */
  came(subject: string, calls: number): void {
    this.sizes.observe({ subject }, calls);
  }

  /** Calls that no handler has seen. */
  dropped(subject: string, outcome: 'expired' | 'refused', calls: number): void {
    if (calls > 0) this.outcomes.inc({ subject, outcome }, calls);
  }

  /** Calls that a handler took together have their outcomes. */
  handled(subject: string, outcomes: Outcome<unknown>[], took_ms: number): void {
    this.times.observe({ subject }, took_ms / 1000);
    const counts = new Map<string, number>();
    for (const one of outcomes) {
      const outcome = one instanceof Failure ? one.code : 'ok';
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    for (const [outcome, count] of counts) this.outcomes.inc({ subject, outcome }, count);
  }
}
