import { QueryFailedError } from 'typeorm';
import { Failure } from '#contracts';

const UNIQUE_VIOLATION = '23505';

/** For a write that fails: `conflict` with this detail where something unique is another's, its own error otherwise. */
export function conflictIfTaken(detail: string): (error: unknown) => never {
  return (error) => {
    const isTaken =
      error instanceof QueryFailedError && (error.driverError as { code?: string }).code === UNIQUE_VIOLATION;
    throw isTaken ? new Failure('conflict', detail) : error;
  };
}
