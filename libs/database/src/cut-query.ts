import { Query, type Connection, type QueryConfig, type QueryResult } from 'pg';

/** A statement, and of how many bytes its result may be before it is cut. */
export interface CutQueryConfig extends QueryConfig {
  most_bytes?: number;
}

export type QueryCallback = (error: Error | undefined, result: QueryResult) => void;

/** What pg's `Query` has beside its published type, as of pg 8.23. */
interface ProtocolQuery {
  queryMode: 'extended' | undefined;
  callback?: QueryCallback;
  prepare(connection: Connection): void;
  handleDataRow(message: DataRow): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
}

/** A row as it came; its length in bytes. */
export interface DataRow {
  length: number;
}

const ProtocolQuery = Query as unknown as new (
  config: string | QueryConfig,
  values?: unknown[],
  callback?: QueryCallback,
) => ProtocolQuery;

/**
 * A statement whose result is cut by what its rows weigh, as no number of rows bounds what they hold in memory: it
 * ends with the row that takes it past `most_bytes`. What else Postgres sends is dropped as it comes, so that the
 * connection is good for the next statement.
 */
export class CutQuery extends ProtocolQuery {
  /** Whether there was more. */
  isCut = false;
  private readonly most_bytes: number;
  private bytes = 0;

  constructor(config: string | CutQueryConfig, values?: unknown[], callback?: QueryCallback) {
    super(config, values, callback);
    this.most_bytes = typeof config === 'string' ? Infinity : (config.most_bytes ?? Infinity);
  }

  override handleDataRow(message: DataRow): void {
    this.isCut ||= this.bytes > this.most_bytes;
    if (this.isCut) return;
    this.bytes += message.length;
    super.handleDataRow(message);
  }
}
