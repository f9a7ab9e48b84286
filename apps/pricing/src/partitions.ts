import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PricingRepository } from './pricing.repository.js';

const HOUR_MS = 3_600_000;

/** Months to come have their partitions before they are needed. None is dropped: a chain is kept whole. */
@Injectable()
export class Partitions implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Partitions.name);
  private timer?: NodeJS.Timeout;

  constructor(private readonly repository: PricingRepository) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.keep();
    this.timer = setInterval(() => void this.keep(), HOUR_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async keep(): Promise<void> {
    await this.repository.maintainPartitions().catch((error: unknown) => this.logger.error(error));
  }
}
