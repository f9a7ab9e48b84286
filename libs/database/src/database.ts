import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Pool } from 'pg';
import { databaseFailure } from './failures.js';

/** Settings without which "2xx means committed" is not true. */
const DURABLE = { fsync: 'on', full_page_writes: 'on', synchronous_commit: 'on' };

const WARM_CONNECTIONS = 4;

/**
 * The service's schema. Everything goes through here, so that a database that is away is `unavailable` to the
 * caller, wherever it happens.
 */
@Injectable()
export class Database implements OnModuleInit {
  private readonly pool: Pool;

  constructor(private readonly source: DataSource) {
    this.pool = (source.driver as unknown as { master: Pool }).master;
  }

  /** Refuses to start on a server that may lose what it acknowledged. */
  async onModuleInit(): Promise<void> {
    const settings = await this.rows<{ name: keyof typeof DURABLE; setting: string }>(
      'SELECT name, setting FROM pg_settings WHERE name = ANY($1)',
      [Object.keys(DURABLE)],
    );
    const unsafe = settings.filter(({ name, setting }) => DURABLE[name] === 'on' && setting === 'off');
    if (unsafe.length > 0) {
      throw new Error(
        `Postgres may lose acknowledged writes: ${unsafe.map(({ name }) => `${name} is off`).join(', ')}`,
      );
    }
    await this.warmUp();
  }

  /** One statement, planned for exactly these values. */
  async rows<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    try {
      return (await this.pool.query(sql, values)).rows as Row[];
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /** One statement that each connection parses once; for hot paths whose plan does not hang on the values. */
  async prepared<Row>(name: string, sql: string, values: unknown[]): Promise<Row[]> {
    try {
      return (await this.pool.query({ name, text: sql, values })).rows as Row[];
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /** `work` in one transaction: its effect is durable when this resolves, and there is none when it rejects. */
  async transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await this.source.transaction(work);
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /** Reads through TypeORM outside of a transaction. */
  async read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    try {
      return await work(this.source.manager);
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  /** Resolves when the server answers; `unavailable` otherwise. */
  async ping(): Promise<void> {
    await this.rows('SELECT 1');
  }

  /** Connections stand before the first requests come, who would all have to wait for their making at once. */
  private async warmUp(): Promise<void> {
    await Promise.allSettled(Array.from({ length: WARM_CONNECTIONS }, () => this.ping()));
  }

  /** The database as a part of an app's health and metrics. */
  readonly part = {
    name: 'database',
    essential: true,
    check: (): Promise<void> => this.ping(),
    gauges: {
      database_connections: { help: 'Connections of the pool.', read: (): number => this.pool.totalCount },
      database_connections_idle: {
        help: 'Connections of the pool that do nothing.',
        read: (): number => this.pool.idleCount,
      },
      database_waiting: {
        help: 'Statements that wait for a connection.',
        read: (): number => this.pool.waitingCount,
      },
    },
  };
}
