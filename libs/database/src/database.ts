import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { PoolClient, QueryConfig } from 'pg';
import { Failure } from '#contracts';
import { SpanKind, traced, type SpanStart } from '#tracing';
import { type CutQueryConfig } from './cut-query.js';
import { databaseFailure } from './failures.js';
import { PAGE_BYTES } from './page.js';
import { type PatientPool } from './patient-pool.js';
import { ScopedQuery } from './project-client.js';

const WARM_CONNECTIONS = 4;

/** A result as far as a page has room for it. */
export interface FirstRows<Row> {
  rows: Row[];
  /** Whether there were more rows, for which a page has no room. */
  isCut: boolean;
}

/** What statements are sent to: any connection of the pool, or one of one's own. */
export interface Statements {
  prepared<Row>(name: string, sql: string, values: unknown[]): Promise<Row[]>;
  firstRows<Row>(sql: string, values: unknown[], name?: string): Promise<FirstRows<Row>>;
}

/**
 * The service's schema, as the projects in scope see it. Everything goes through here, so that a database that is
 * away is `unavailable` to the caller, wherever it happens.
 */
@Injectable()
export class Database implements OnModuleInit, Statements {
  private readonly logger = new Logger(Database.name);
  private readonly pool: PatientPool;
  private readonly listeners: (() => void)[] = [];

  constructor(private readonly source: DataSource) {
    this.pool = (source.driver as unknown as { master: PatientPool }).master;
  }

  async onModuleInit(): Promise<void> {
    await this.lookAtLetters();
    await this.warmUp();
  }

  /** Two locales of the database decide, that of its provider and LC_CTYPE: either may know ASCII alone. */
  private async lookAtLetters(): Promise<void> {
    if (!(await this.holds(`'É' ILIKE 'é'`)))
      this.logger.warn('The database knows the case of ASCII letters only: a search for é does not find É');
    // Who runs the database may have taken pg_trgm's functions away from all, whose operators an index still has.
    const hasTrigrams = await this.holds(`public.show_trgm('жжж') <> '{}'`).catch((error: unknown) => {
      if (error instanceof Failure) throw error;
      return true;
    });
    if (!hasTrigrams)
      this.logger.warn('LC_CTYPE of the database knows ASCII letters only: a search for others has no index');
  }

  private async holds(condition: string): Promise<boolean> {
    const [row] = await this.rows<{ holds: boolean }>(`SELECT ${condition} AS holds`);
    return row!.holds;
  }

  /** One statement, planned for exactly these values. */
  async rows<Row>(sql: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.ask<Row>({ text: sql, values })).rows;
  }

  /** One statement that each connection parses once; for hot paths whose plan does not hang on the values. */
  async prepared<Row>(name: string, sql: string, values: unknown[]): Promise<Row[]> {
    return (await this.ask<Row>({ name, text: sql, values })).rows;
  }

  /**
   * As `prepared`, without a name as `rows`, for rows that may be large: of the result only the first 4 MiB and the row
   * that goes past them are ever held in memory. The first row always is.
   */
  firstRows<Row>(sql: string, values: unknown[], name?: string): Promise<FirstRows<Row>> {
    return this.ask({ name, text: sql, values, most_bytes: PAGE_BYTES });
  }

  /** As `prepared`, of a statement that writes: its effect is durable when this resolves. */
  async write<Row>(name: string, sql: string, values: unknown[]): Promise<Row[]> {
    const rows = await this.prepared<Row>(name, sql, values);
    this.committed();
    return rows;
  }

  /** `work` in one transaction: its effect is durable when this resolves, and there is none when it rejects. */
  async transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    const result = await this.asked('transaction', () => this.source.transaction(work));
    this.committed();
    return result;
  }

  /** Reads through TypeORM outside of a transaction. */
  read<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    return this.asked('read', () => work(this.source.manager));
  }

  /** Runs `listener` whenever this process may have committed something. */
  onCommit(listener: () => void): void {
    this.listeners.push(listener);
  }

  private async ask<Row>(config: CutQueryConfig): Promise<FirstRows<Row>> {
    const query = new ScopedQuery(config);
    const { rows } = await this.asked(config.name ?? 'statement', () =>
      this.pool.query(query as unknown as QueryConfig),
    );
    return { rows: rows as Row[], isCut: query.isCut };
  }

  /** Resolves when the server answers; `unavailable` otherwise. */
  async ping(): Promise<void> {
    await this.rows('SELECT 1');
  }

  /** Connections stand before the first requests come, who would all have to wait for their making at once. */
  private async warmUp(): Promise<void> {
    const asked = Array.from({ length: WARM_CONNECTIONS }, () => this.pool.connect());
    for (const one of await Promise.allSettled(asked)) if (one.status === 'fulfilled') one.value.release();
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
        read: (): number => this.pool.callersWaiting,
      },
    },
  };

  /** Whatever is asked of the database, as a span and with what its errors mean. Its text and values stay here. */
  private async asked<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const { schema } = this.source.options as { schema?: string };
    const start = (): SpanStart => ({
      kind: SpanKind.CLIENT,
      attributes: { 'db.system.name': 'postgresql', 'db.namespace': schema },
    });
    try {
      return await traced(name, start, errorTypeOf, work);
    } catch (error) {
      throw databaseFailure(error);
    }
  }

  private committed(): void {
    for (const listener of this.listeners) listener();
  }
}

function errorTypeOf(error: unknown): string {
  const failure = databaseFailure(error);
  return failure instanceof Failure ? failure.code : 'internal';
}

/** As `Database.prepared`, inside of a transaction. */
export async function prepared<Row>(
  manager: EntityManager,
  name: string,
  sql: string,
  values: unknown[],
): Promise<Row[]> {
  const client = (await manager.queryRunner!.connect()) as PoolClient;
  return (await client.query({ name, text: sql, values })).rows as Row[];
}
