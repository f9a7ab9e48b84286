import { Injectable } from '@nestjs/common';
import { Failure } from '#contracts';
import { GatewayConfig } from '../gateway.config.js';

/** How many bulks are under way, of each key and together: each holds a bounded number of lines in memory. */
@Injectable()
export class BulksUnderWay {
  private readonly ofKey = new Map<string, number>();
  private all = 0;

  constructor(private readonly config: GatewayConfig) {}

  /** For metrics. */
  readonly gauges = { bulks: { help: 'Bulks under way.', read: (): number => this.all } };

  /** @returns what to call once, when it is over. @throws Failure `rate_limited` or `unavailable` */
  enter(key_id: string): () => void {
    const { BULKS, BULKS_PER_KEY } = this.config;
    const own = this.ofKey.get(key_id) ?? 0;
    if (own >= BULKS_PER_KEY)
      throw new Failure('rate_limited', `${own} bulks of this key are under way`, { retry_after_s: 1 });
    if (this.all >= BULKS) throw new Failure('unavailable', 'Too many bulks are under way');
    this.all += 1;
    this.ofKey.set(key_id, own + 1);
    return () => this.leave(key_id);
  }

  private leave(key_id: string): void {
    this.all -= 1;
    const left = this.ofKey.get(key_id)! - 1;
    if (left > 0) this.ofKey.set(key_id, left);
    else this.ofKey.delete(key_id);
  }
}
