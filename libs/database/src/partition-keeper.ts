import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { type Database } from './database.js';

/** A table that `monthlyPartitions` has divided, and how long its months are kept: for ever unless told. */
export interface KeptPartitions {
  table: string;
  keep_days?: number;
}

const HOUR_MS = 3_600_000;

/** Sees to it that the months to come have their partitions, and that those past their time are dropped. */
export class PartitionKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(PartitionKeeper.name);
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly database: Database,
    private readonly schema: string,
    private readonly kept: KeptPartitions,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.keep();
    this.timer = setInterval(() => void this.keep(), HOUR_MS);
  }

  onModuleDestroy(): void {
    clearInterval(this.timer);
  }

  private async keep(): Promise<void> {
    const { table, keep_days = null } = this.kept;
    // Months stand ahead, so that an hour in which the database is away costs nothing.
    await this.database
      .rows(`SELECT "${this.schema}"."maintain_${table}"(make_interval(days => $1))`, [keep_days])
      .catch((error: unknown) => {
        this.logger.error(error);
      });
  }
}
