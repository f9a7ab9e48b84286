import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { DeviceStateConfig } from './device-state.config.js';
import { DeviceStateRepository } from './device-state.repository.js';

const HOUR_MS = 3_600_000;

/** Keeps the partitions: those to come exist before they are needed, those past their time are dropped. */
@Injectable()
export class Retention implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Retention.name);
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly repository: DeviceStateRepository,
    private readonly config: DeviceStateConfig,
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
      .maintainPartitions(this.config.STATE_HISTORY_RETENTION_DAYS)
      .catch((error: unknown) => this.logger.error(error));
  }
}
