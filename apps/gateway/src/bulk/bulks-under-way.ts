import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Failure } from '#contracts';
import { Metrics } from '#service';
import { GatewayConfig } from '../gateway.config.js';
import { type Bulk } from './bulk.js';

/** The bulks under way, of each key and together: each holds lines in memory, so that their number is bounded. */
@Injectable()
export class BulksUnderWay implements OnModuleDestroy {
  private readonly ofKey = new Map<string, number>();
  private readonly bulks = new Set<Bulk>();
  private isStopping = false;

  constructor(
    private readonly config: GatewayConfig,
    metrics: Metrics,
  ) {
    metrics.gauge('bulks', 'Bulks under way.', () => this.bulks.size);
    metrics.gauge('bulk_lines_held', 'Lines of bulks that are read and not yet answered.', () => {
      return [...this.bulks].reduce((sum, { linesHeld }) => sum + linesHeld, 0);
    });
  }

  /** @returns what to call once, when it is over. @throws Failure `rate_limited` or `unavailable` */
  enter(bulk: Bulk, key_id: string): () => void {
    const { BULKS, BULKS_PER_KEY } = this.config;
    const own = this.ofKey.get(key_id) ?? 0;
    if (own >= BULKS_PER_KEY) {
      throw new Failure('rate_limited', `${own} bulks of this key are under way`, { retry_after_s: 1 });
    }
    if (this.isStopping || this.bulks.size >= BULKS)
      throw new Failure('unavailable', 'Too many bulks are under way');
    this.bulks.add(bulk);
    this.ofKey.set(key_id, own + 1);
    return () => this.leave(bulk, key_id);
  }

  /** A bulk may last as long as it likes, a shutdown may not. */
  onModuleDestroy(): void {
    this.isStopping = true;
    for (const bulk of this.bulks) bulk.stop();
  }

  private leave(bulk: Bulk, key_id: string): void {
    this.bulks.delete(bulk);
    const left = this.ofKey.get(key_id)! - 1;
    if (left > 0) this.ofKey.set(key_id, left);
    else this.ofKey.delete(key_id);
  }
}
