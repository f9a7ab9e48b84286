import { Failure } from '#contracts';
import { QueryRunnerAlreadyReleasedError, QueryRunnerProviderAlreadyReleasedError } from 'typeorm';

/**
 * SQLSTATE classes and codes that pass by themselves: connections, resources, shutdown, locks, time-outs, and a server
 * that only reads, as another is the primary now.
 */
const TEMPORARY = /^(08...|53...|57P0.|57014|55P03|40001|40P01|25006|25P0[34])$/;

/** SQLSTATE of a statement that the server has cancelled at its `statement_timeout`. */
const TOOK_TOO_LONG = '57014';

/** Errors of the driver itself, which have no SQLSTATE. */
const CUT_OFF =
  /^(E[A-Z]+|EAI_AGAIN|Connection terminated.*|timeout expired|timeout exceeded when trying to connect|.*not queryable.*)$/;

/** Whatever kept a connection from being made, e.g. a password: nobody's statement is to blame for it. */
const CONNECTING = new WeakSet<Error>();

/** Where errors repeat what a statement was given: TypeORM's all of it, the server's the row or the document. */
const VALUES = ['parameters', 'detail', 'where'];

/** Marks an error as one of making a connection. @returns it */
export function whileConnecting(error: Error): Error {
  CONNECTING.add(error);
  return error;
}

/**
 * What a driver's error means to a caller: `unavailable` for what passes, the error itself for our own faults. Either
 * way it has lost the values of its statement: they are bodies and hashes of keys, and whoever logs it logs all of it.
 */
export function databaseFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  dropValues(error);
  const { code } = error as { code?: string };
  // What TypeORM says to the next statement of a transaction whose connection has died.
  const isReleased =
    error instanceof QueryRunnerAlreadyReleasedError ||
    error instanceof QueryRunnerProviderAlreadyReleasedError;
  const isTemporary =
    isReleased ||
    CONNECTING.has(error) ||
    (code === undefined ? CUT_OFF.test(error.message) : TEMPORARY.test(code) || CUT_OFF.test(code));
  if (!isTemporary) return error;
  // Of a question that is too large, again and again: who asks has to know that asking for less helps.
  const detail =
    code === TOOK_TOO_LONG
      ? 'The database took too long: ask for less at once, or again'
      : 'The database is not available';
  return new Failure('unavailable', detail, { cause: error });
}

function dropValues(error: object): void {
  for (const name of VALUES) Reflect.deleteProperty(error, name);
  if ('driverError' in error && error.driverError instanceof Error) dropValues(error.driverError);
}
