import { setTimeout } from 'node:timers/promises';
import { type Submittable } from 'pg';
import { BoundedClient } from './bounded-client.js';
import { CutQuery, type CutQueryConfig } from './cut-query.js';
import { type FirstRows, type Statements } from './database.js';
import { databaseFailure } from './failures.js';
import { PAGE_BYTES } from './page.js';
import { EVERY_PROJECT } from './project-client.js';

const TRY_AGAIN_MS = 200;

/**
 * The lead: a connection that holds the one lock of its name, so that of all replicas one does what only one may do.
 * Whoever cannot reach the database any more, or stands still for 10 s, has lost it: another takes it over. What it
 * leads is of all projects.
 */
export class Lead implements Statements {
  private constructor(private readonly client: BoundedClient) {}

  /**
   * Waits until nobody else has the lead. Undefined when `signal` has ended the waiting.
   * @param name of the whole database, so it begins with the schema's
   * @param waiting called when somebody else has it
   * @throws Failure `unavailable` when the database is away
   */
  static async wait(
    url: string,
    name: string,
    signal: AbortSignal,
    waiting?: () => void,
  ): Promise<Lead | undefined> {
    const client = new BoundedClient({
      connectionString: url,
      application_name: name,
      connectionTimeoutMillis: 2_000,
      statement_timeout: 5_000,
      idle_in_transaction_session_timeout: 10_000,
      options: `-c idle_session_timeout=10000 ${EVERY_PROJECT}`,
      keepAlive: true,
    });
    // Whoever waits for an answer hears of it too.
    client.on('error', () => undefined);
    const lead = new Lead(client);
    try {
      await client.connect();
      await client.requireDurability();
      while (!signal.aborted) {
        const [lock] = await lead.prepared<{ leads: boolean }>(
          'take-lead',
          'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS leads',
          [name],
        );
        if (lock!.leads) return lead;
        waiting?.();
        await setTimeout(TRY_AGAIN_MS, undefined, { signal }).catch(() => undefined);
      }
    } catch (error) {
      await lead.giveUp();
      throw databaseFailure(error);
    }
    await lead.giveUp();
    return undefined;
  }

  /** One statement of the leader's: it fails when the lead is lost. */
  async prepared<Row>(name: string, sql: string, values: unknown[]): Promise<Row[]> {
    return (await this.ask<Row>({ name, text: sql, values })).rows;
  }

  /** As `prepared`, cut as `Database.firstRows` is. */
  firstRows<Row>(sql: string, values: unknown[], name?: string): Promise<FirstRows<Row>> {
    return this.ask({ name, text: sql, values, most_bytes: PAGE_BYTES });
  }

  /** Lets another have it, within a second or so also when the database does not hear of it. */
  async giveUp(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }

  private async ask<Row>(config: CutQueryConfig): Promise<FirstRows<Row>> {
    try {
      return await new Promise<FirstRows<Row>>((resolve, reject) => {
        const query = new CutQuery(config, undefined, (error, result) =>
          error ? reject(error) : resolve({ rows: result.rows as Row[], isCut: query.isCut }),
        );
        this.client.query(query as unknown as Submittable);
      });
    } catch (error) {
      throw databaseFailure(error);
    }
  }
}
