import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { ActivityEventsConfig } from './activity-events.config.js';
import { ActivityEventsRepository } from './activity-events.repository.js';

const HOUR_MS = 3_600_000;

/** Keeps the partitions: those to come exist before they are needed, those past their time are dropped. */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Retention.name);
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly repository: ActivityEventsRepository,
    private readonly config: ActivityEventsConfig,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.keep();
    this.timer = setInterval(() => void this.keep(), HOUR_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async keep(): Promise<void> {
    // Two months stand ahead, so that an hour in which the database is away costs nothing.
    await this.repository
      .maintainPartitions(this.config.EVENTS_RETENTION_DAYS)
      .catch((error: unknown) => this.logger.error(error));
  }
}
