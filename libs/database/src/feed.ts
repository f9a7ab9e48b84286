import { acrossProjects, feedEnd, type FeedPosition, FEED_START, isBehind } from '#contracts';
import { Column } from 'typeorm';
import { type FirstRows, type Statements } from './database.js';
import { isLast } from './walk.js';

/** What each row of a feed has, beside what its table says of it. */
export interface FeedRow {
  transaction_id: string;
  id: string;
  project_id: string;
}

/** The table that a feed is read from. */
export interface FeedTable {
  /** With its schema, e.g. `pricing.changes`. */
  table: string;
  /** The columns to read, beside those of `FeedRow`. */
  columns: readonly string[];
  /** The timestamptz column with the server's time of the row: along the feed it rises, give or take an hour. */
  recorded_at: string;
}

/** The column by which a table is a feed, with a default: inserts need not name it. */
export function TransactionIdColumn(): PropertyDecorator {
  // Postgres' number of the transaction that wrote the row; TypeORM reads a default back without its casts.
  return Column('bigint', { default: () => '((pg_current_xact_id()))' });
}

/**
 * Statements for a migration that make a feed of an append-only table. Its rows so far are of transaction 0, before
 * the feed; so the table is not written anew. The index is of all projects, as the feed is.
 */
export function feedColumn(schema: string, table: string): string[] {
  return [
    `ALTER TABLE "${schema}"."${table}" ADD COLUMN "transaction_id" bigint NOT NULL DEFAULT 0`,
    `ALTER TABLE "${schema}"."${table}"
     ALTER COLUMN "transaction_id" SET DEFAULT pg_current_xact_id()::text::bigint`,
    `CREATE INDEX "${table}_by_transaction" ON "${schema}"."${table}" ("transaction_id", "id")`,
  ];
}

/** The oldest transaction that may still commit something: what lies before it is complete. */
const HORIZON = 'pg_snapshot_xmin(pg_current_snapshot())::text::bigint';

/** Clocks of servers differ by less. */
const CLOCKS_DIFFER_MS = 60_000;

/** How far a question of one project looks at a time, whatever of it is the project's. */
const ROWS_LOOKED_AT = 5_000;

/**
 * An append-only table in the order of the transactions that wrote it, gap-free: only what lies before every
 * transaction still open is shown, so that a later look finds nothing new there, however late anybody commits.
 */
export class Feed<Row extends object> {
  private readonly select: string;

  constructor(private readonly source: FeedTable) {
    const columns = ['transaction_id', 'id', 'project_id', ...source.columns];
    this.select = `SELECT ${columns.join(', ')} FROM ${source.table}`;
  }

  /**
   * `limit` rows behind a position, of all projects; fewer when they are large. Projects may choose one id in one
   * transaction: such rows share a position, and come together.
   */
  async next(
    on: Statements,
    [transaction_id, id]: FeedPosition,
    limit: number,
  ): Promise<FirstRows<Row & FeedRow>> {
    const { rows, isCut } = await on.firstRows<Row & FeedRow>(
      `${this.select} WHERE (transaction_id, id) > ($1, $2) AND transaction_id < ${HORIZON}
       ORDER BY transaction_id, id FETCH FIRST $3 ROWS WITH TIES`,
      [transaction_id, id, limit],
      `feed-${this.source.table}`,
    );
    return { rows: isCut ? withoutLastPosition(rows) : rows, isCut };
  }

  /** When the first row behind a position was recorded, in ms, whether `next` shows it yet or not; undefined without one. */
  async waitingSince(on: Statements, [transaction_id, id]: FeedPosition): Promise<number | undefined> {
    const { table, recorded_at } = this.source;
    const [row] = await on.prepared<{ recorded_at: string }>(
      `feed-waiting-${table}`,
      `SELECT ${recorded_at} AS recorded_at FROM ${table}
       WHERE (transaction_id, id) > ($1, $2) ORDER BY transaction_id, id LIMIT 1`,
      [transaction_id, id],
    );
    return row && Date.parse(row.recorded_at);
  }

  /**
   * As `next`, of one project. A feed is of all projects, so how far is looked is bounded; `position` says how far
   * that was, and is the end of the feed when there is no more. It may be of another project's row: no caller is told.
   */
  async ofProject(
    on: Statements,
    project_id: string,
    after: FeedPosition,
    limit: number,
  ): Promise<FirstRows<Row & FeedRow> & { position: FeedPosition }> {
    const bound = await this.look(on, after, await this.end(on));
    // The inner limit keeps the planner from a walk through all of the project.
    const result = await on.firstRows<Row & FeedRow>(
      `SELECT * FROM (
         ${this.select} WHERE (transaction_id, id) > ($1, $2) AND (transaction_id, id) <= ($3, $4)
         ORDER BY transaction_id, id FETCH FIRST ${ROWS_LOOKED_AT} ROWS WITH TIES
       ) AS looked_at WHERE project_id = $5 ORDER BY transaction_id, id LIMIT $6`,
      [...after, ...bound, project_id, limit],
      `feed-of-project-${this.source.table}`,
    );
    const last = result.rows.at(-1);
    const isAll = !last || isLast(result, limit);
    return { ...result, position: isAll ? bound : positionOf(last) };
  }

  /**
   * Where the feed ends now: whatever is committed from now on is behind it. It is told by what is committed: Postgres
   * may give a higher number, that nobody has committed yet, once more after a crash.
   */
  async end(on: Statements): Promise<FeedPosition> {
    const { table } = this.source;
    // Whose the last row is does not show in the number of its transaction.
    const [row] = await acrossProjects(() =>
      on.prepared<{ transaction_id: string }>(
        `feed-end-${table}`,
        `SELECT coalesce(max(transaction_id), 0) AS transaction_id FROM ${table} WHERE transaction_id < ${HORIZON}`,
        [],
      ),
    );
    return feedEnd(row!.transaction_id);
  }

  /** A position before all rows recorded at `time` or later, as near as transactions tell: found by bisection. */
  async since(on: Statements, time: Date): Promise<FeedPosition> {
    const { table, recorded_at } = this.source;
    let from = 0n;
    let to = BigInt((await this.end(on))[0]) + 1n;
    while (from < to) {
      const middle = (from + to) / 2n;
      const [row] = await on.prepared<{ transaction_id: string; recorded_at: string }>(
        `feed-since-${table}`,
        `SELECT transaction_id, ${recorded_at} AS recorded_at FROM ${table}
         WHERE transaction_id >= $1 ORDER BY transaction_id, id LIMIT 1`,
        [String(middle)],
      );
      if (!row || row.recorded_at >= time.toISOString()) to = middle;
      else from = BigInt(row.transaction_id) + 1n;
    }
    return [String(to), FEED_START[1]];
  }

  /** Whether the position of a row is not complete here yet, though it was where the row was read: it was another's. */
  async isAhead(on: Statements, [transaction_id]: FeedPosition): Promise<boolean> {
    const [row] = await on.prepared<{ is_ahead: boolean }>(
      'feed-is-ahead',
      `SELECT $1::bigint >= ${HORIZON} AS is_ahead`,
      [transaction_id],
    );
    return row!.is_ahead;
  }

  /**
   * Whether the row that was read at a position is of another history than this database has, e.g. of before a restore,
   * also when the numbers of transactions have come past it since. A row that is gone says nothing, as rows may be
   * deleted; another up to its place does that was recorded only after it was read.
   */
  async isForeign(on: Statements, position: FeedPosition, read_at: Date): Promise<boolean> {
    if (await this.isAhead(on, position)) return true;
    const { table, recorded_at } = this.source;
    const [last] = await on.prepared<{ id: string; recorded_at: string }>(
      `feed-last-${table}`,
      `SELECT id, ${recorded_at} AS recorded_at FROM ${table}
       WHERE (transaction_id, id) <= ($1, $2) ORDER BY transaction_id DESC, id DESC LIMIT 1`,
      [...position],
    );
    if (!last || last.id === position[1]) return false;
    return Date.parse(last.recorded_at) > read_at.getTime() + CLOCKS_DIFFER_MS;
  }

  /** The position of the last row that is looked at, at most the end of the feed. */
  private async look(on: Statements, after: FeedPosition, end: FeedPosition): Promise<FeedPosition> {
    // Behind the wall only the project's own rows would count, and all others be passed by without a bound.
    const [last] = await acrossProjects(() =>
      on.prepared<{ transaction_id: string; id: string }>(
        `feed-look-${this.source.table}`,
        `SELECT transaction_id, id FROM ${this.source.table}
         WHERE (transaction_id, id) > ($1, $2) AND (transaction_id, id) <= ($3, $4)
         ORDER BY transaction_id, id OFFSET ${ROWS_LOOKED_AT - 1} LIMIT 1`,
        [...after, ...end],
      ),
    );
    return last ? [last.transaction_id, last.id] : end;
  }
}

/** The rest of its rows may be behind the cut. All of them are of one frame of calls, so others are before them. */
function withoutLastPosition<Row extends FeedRow>(rows: Row[]): Row[] {
  const last = rows.at(-1)!;
  const others = rows.filter((row) => isBehind(positionOf(last), positionOf(row)));
  return others.length > 0 ? others : rows;
}

function positionOf({ transaction_id, id }: FeedRow): FeedPosition {
  return [transaction_id, id];
}
