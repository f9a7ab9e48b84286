import { Logger, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { BoundedClient } from './bounded-client.js';
import { databaseFailure } from './failures.js';

/** A table that `monthlyPartitions` has divided, and how long its months are kept: for ever unless told. */
export interface KeptPartitions {
  table: string;
  keep_days?: number;
}

const HOUR_MS = 3_600_000;
/** Entries that were dated far ahead are moved to a month that is added: many take minutes (decision 4). */
const LONGEST_MS = 600_000;

/** Sees to it that the months to come have their partitions, and that those past their time are dropped. */
export class PartitionKeeper implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly logger = new Logger(PartitionKeeper.name);
  private timer?: NodeJS.Timeout;
  private client?: BoundedClient;
  private isStopping = false;

  /** @param url of the database, for a connection of its own: this may take longer than any call */
  constructor(
    private readonly url: string,
    private readonly schema: string,
    private readonly kept: KeptPartitions,
  ) {}

  /** The start does not wait for it: months stand ahead, and whatever has none yet has its place too. */
  onApplicationBootstrap(): void {
    void this.keep();
    this.timer = setInterval(() => void this.keep(), HOUR_MS);
  }

  /** What is under way is the server's to finish. */
  async onModuleDestroy(): Promise<void> {
    this.isStopping = true;
    clearInterval(this.timer);
    await this.client?.end().catch(() => undefined);
  }

  private async keep(): Promise<void> {
    const { table, keep_days = null } = this.kept;
    this.client = new BoundedClient({
      connectionString: this.url,
      application_name: `${this.schema} partitions`,
      connectionTimeoutMillis: 5_000,
      statement_timeout: LONGEST_MS,
      // All others would queue behind it.
      lock_timeout: 2_000,
      keepAlive: true,
    });
    // Whoever waits for an answer hears of it too.
    this.client.on('error', () => undefined);
    try {
      await this.client.connect();
      await this.client.requireDurability();
      const add = `SELECT "${this.schema}"."maintain_${table}"(NULL)`;
      const drop = `SELECT "${this.schema}"."drop_past_${table}"(make_interval(days => $1))`;
      // Each by itself: what is over goes also where months cannot be added.
      await this.client.query(add).catch(this.report);
      await this.client.query(drop, [keep_days]).catch(this.report);
    } catch (error) {
      this.report(error);
    } finally {
      await this.client.end().catch(() => undefined);
    }
  }

  /** An hour in which it fails costs nothing. */
  private readonly report = (error: unknown): void => {
    if (!this.isStopping) this.logger.error(databaseFailure(error));
  };
}
