import { Injectable, Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { MessagesRepository } from './messages.repository.js';

const HOUR_MS = 3_600_000;

/** Keeps the months to come ready before they are needed. Messages are kept for ever. */
@Injectable()
export class Partitions implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(Partitions.name);
  private timer?: NodeJS.Timeout;

  constructor(private readonly repository: MessagesRepository) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.maintain();
    this.timer = setInterval(() => void this.maintain(), HOUR_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async maintain(): Promise<void> {
    // Two months stand ahead, so that an hour in which the database is away costs nothing.
    await this.repository.maintainPartitions().catch((error: unknown) => this.logger.error(error));
  }
}
