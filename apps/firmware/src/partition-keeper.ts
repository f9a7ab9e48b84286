import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { FirmwareRepository } from './firmware.repository.js';

const HOUR_MS = 3_600_000;

/** Sees to it that the months to come have their partitions. None is ever dropped: a repeat is known for ever. */
@Injectable()
export class PartitionKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(PartitionKeeper.name);
  private timer?: NodeJS.Timeout;

  constructor(private readonly repository: FirmwareRepository) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.keep();
    this.timer = setInterval(() => void this.keep(), HOUR_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async keep(): Promise<void> {
    // Two months stand ahead, so that an hour in which the database is away costs nothing.
    await this.repository.maintainPartitions().catch((error: unknown) => this.logger.error(error));
  }
}
