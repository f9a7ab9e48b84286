import { Injectable } from '@nestjs/common';
import { Client } from 'pg';
import { EVERY_PROJECT } from '#database';
import { type ArchivedChange } from './archive-cut.js';
import { type PromisedFile } from './archive-directory.js';
import { PricingConfig } from './pricing.config.js';

/** A change on its way into the archive. */
export type FeedChange = ArchivedChange & { transaction_id: string; id: string };

export interface ArchivePosition {
  transaction_id: string;
  id: string;
  files: number;
}

/**
 * In the order of transactions, which along a chain is the order of the chain. Only what lies before every
 * transaction still open: a later reader finds nothing new there, however late anybody commits.
 */
const NEXT = `
  SELECT project_id, product_id, previous_price, new_price, timestamp, transaction_id, id
  FROM pricing.changes
  WHERE (transaction_id, id) > ($1, $2)
    AND transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
  ORDER BY transaction_id, id LIMIT $3`;

const PROMISE = `
  WITH kept AS (DELETE FROM pricing.archive_files),
       moved AS (UPDATE pricing.archive_position SET transaction_id = $1, id = $2, files = files + cardinality($3::text[]))
  INSERT INTO pricing.archive_files (name, aside) SELECT * FROM unnest($3::text[], $4::text[])`;

/**
 * The lead: a connection that holds the one lock of the archive. All that the archiver writes goes through it,
 * so that whoever has lost the lead without knowing it changes nothing.
 */
export class ArchiveLead {
  constructor(private readonly client: Client) {}

  /** Files whose changes count as archived, and that may not be in their place yet. */
  async promised(): Promise<PromisedFile[]> {
    const { rows } = await this.client.query<PromisedFile>('SELECT name, aside FROM pricing.archive_files');
    return rows;
  }

  /** @throws when the archive is further than the database, e.g. after an old copy was restored */
  async position(): Promise<ArchivePosition> {
    const { rows } = await this.client.query<ArchivePosition & { is_ahead: boolean }>(
      `SELECT transaction_id, id, files::int,
              transaction_id >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS is_ahead
       FROM pricing.archive_position`,
    );
    const { is_ahead, ...position } = rows[0]!;
    if (is_ahead) throw new Error('The archive is ahead of the database: was another database restored?');
    return position;
  }

  async next({ transaction_id, id }: ArchivePosition, limit: number): Promise<FeedChange[]> {
    const { rows } = await this.client.query<Omit<FeedChange, 'timestamp'> & { timestamp: Date }>({
      name: 'next-changes',
      text: NEXT,
      values: [transaction_id, id, limit],
    });
    return rows.map((row) => ({ ...row, timestamp: row.timestamp.toISOString() }));
  }

  /** Counts the changes up to `last` as archived, and these files as theirs; those promised before are in place. */
  async promise({ transaction_id, id }: FeedChange, files: PromisedFile[]): Promise<void> {
    await this.client.query(PROMISE, [
      transaction_id,
      id,
      files.map(({ name }) => name),
      files.map(({ aside }) => aside),
    ]);
  }

  async giveUp(): Promise<void> {
    await this.client.end().catch(() => undefined);
  }
}

@Injectable()
export class ArchiveRepository {
  constructor(private readonly config: PricingConfig) {}

  /** The lead, unless another replica has it. */
  async lead(): Promise<ArchiveLead | undefined> {
    const client = new Client({
      connectionString: this.config.DATABASE_URL,
      application_name: 'pricing archive',
      options: EVERY_PROJECT,
      connectionTimeoutMillis: 2_000,
      statement_timeout: 5_000,
      query_timeout: 10_000,
      keepAlive: true,
    });
    // Whoever waits for an answer hears of it too.
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ leads: boolean }>(
        `SELECT pg_try_advisory_lock(hashtextextended('pricing archive', 0)) AS leads`,
      );
      if (rows[0]!.leads) return new ArchiveLead(client);
    } catch (error) {
      await client.end().catch(() => undefined);
      throw error;
    }
    await client.end().catch(() => undefined);
    return undefined;
  }
}
