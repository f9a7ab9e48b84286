import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Failure, type Caller } from '#contracts';
import { Metrics } from '#service';
import { GatewayConfig } from '../gateway.config.js';
import { type Bulk } from './bulk.js';

interface Place {
  bulk: Bulk;
  caller: Caller;
}

/** The bulks under way, of each key, each project and together: each holds lines in memory, so that their number is bounded. */
@Injectable()
export class BulksUnderWay implements OnModuleDestroy {
  private readonly places = new Set<Place>();
  private isStopping = false;

  constructor(
    private readonly config: GatewayConfig,
    metrics: Metrics,
  ) {
    metrics.gauge('bulks', 'Bulks under way.', () => this.places.size);
    metrics.gauge('bulk_lines_held', 'Lines of bulks that are read and not yet answered.', () => {
      return [...this.places].reduce((sum, { bulk }) => sum + bulk.linesHeld, 0);
    });
  }

  /** @returns what to call once, when it is over. @throws Failure `rate_limited` or `unavailable` */
  enter(bulk: Bulk, caller: Caller): () => void {
    const { BULKS, BULKS_PER_KEY } = this.config;
    const callers = [...this.places].map((place) => place.caller);
    const own = callers.filter(({ key_id }) => key_id === caller.key_id).length;
    if (own >= BULKS_PER_KEY) {
      throw new Failure('rate_limited', `${own} bulks of this key are under way`, { retry_after_s: 1 });
    }
    const ofProject = callers.filter(({ project_id }) => project_id === caller.project_id).length;
    // A project has as many as are left for others.
    if (this.isStopping || ofProject >= BULKS - callers.length)
      throw new Failure('unavailable', 'Too many bulks are under way');
    const place = { bulk, caller };
    this.places.add(place);
    return () => void this.places.delete(place);
  }

  /** A bulk may last as long as it likes, a shutdown may not. */
  onModuleDestroy(): void {
    this.isStopping = true;
    for (const { bulk } of this.places) bulk.stop();
  }
}
