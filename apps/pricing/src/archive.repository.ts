import { Feed, type FeedRow, type Lead } from '#database';
import { type ArchivedChange } from './archive-cut.js';
import { type PromisedFile } from './archive-directory.js';
import { PRICE_FEED } from './price-feed.js';

/** A change on its way into the archive. */
export type FeedChange = ArchivedChange & FeedRow;

export interface ArchivePosition {
  transaction_id: string;
  id: string;
  files: number;
}

const PROMISE = `
  WITH kept AS (DELETE FROM pricing.archive_files),
       moved AS (UPDATE pricing.archive_position SET transaction_id = $1, id = $2, files = files + cardinality($3::text[]))
  INSERT INTO pricing.archive_files (name, aside) SELECT * FROM unnest($3::text[], $4::text[])`;

/** All that the archiver writes goes through its lead: whoever has lost it without knowing changes nothing. */
export class ArchiveRepository {
  private readonly feed = new Feed<ArchivedChange>(PRICE_FEED);

  constructor(private readonly lead: Lead) {}

  /** The number of this lead, above those of all before: who has lost the lead knows by it what is its successor's. */
  async number(): Promise<number> {
    const [position] = await this.lead.prepared<{ leads: number }>(
      'archive-lead',
      'UPDATE pricing.archive_position SET leads = leads + 1 RETURNING leads::int',
      [],
    );
    return position!.leads;
  }

  /** Files whose changes count as archived, and that may not be in their place yet. */
  promised(): Promise<PromisedFile[]> {
    return this.lead.prepared('archive-files', 'SELECT name, aside FROM pricing.archive_files', []);
  }

  /** @throws when the archive is further than the database, e.g. after an old copy was restored */
  async position(): Promise<ArchivePosition> {
    const [position] = await this.lead.prepared<ArchivePosition>(
      'archive-position',
      'SELECT transaction_id, id, files::int FROM pricing.archive_position',
      [],
    );
    const { transaction_id, id } = position!;
    if (await this.feed.isAhead(this.lead, [transaction_id, id])) {
      throw new Error('The archive is ahead of the database: was another database restored?');
    }
    return position!;
  }

  /** When the oldest change behind a position was made, also one that `next` does not show yet, in ms. */
  waitingSince({ transaction_id, id }: ArchivePosition): Promise<number | undefined> {
    return this.feed.waitingSince(this.lead, [transaction_id, id]);
  }

  async next({ transaction_id, id }: ArchivePosition, limit: number): Promise<FeedChange[]> {
    return (await this.feed.next(this.lead, [transaction_id, id], limit)).rows;
  }

  /** Counts the changes up to `last` as archived, and these files as theirs; those promised before are in place. */
  async promise({ transaction_id, id }: FeedChange, files: PromisedFile[]): Promise<void> {
    await this.lead.prepared('archive-promise', PROMISE, [
      transaction_id,
      id,
      files.map(({ name }) => name),
      files.map(({ aside }) => aside),
    ]);
  }
}
