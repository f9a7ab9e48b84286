/**
 * Every way a call can fail, with a title that is safe for a stranger. The list is closed: a wire (HTTP, bus)
 * has one table from these codes to its own. `docs/errors.md` explains each, and a test holds the two together.
 */
export const FAILURES = {
  invalid: 'The request is not valid',
  unauthenticated: 'A valid key is required',
  forbidden: 'This key may not do that',
  not_found: 'Not found',
  unknown_recipient: 'Nobody here has that address',
  method_not_allowed: 'This route does not know that method',
  conflict: 'The request conflicts with what is there',
  idempotency_conflict: 'This key or id was used before with other content',
  precondition_failed: 'The resource has changed',
  too_large: 'The request is too large',
  unsupported_media_type: 'This media type is not accepted here',
  rate_limited: 'Too many requests',
  unavailable: 'Temporarily unavailable, try again',
  internal: 'Something went wrong on our side',
} as const;

/** The `code` of a problem (RFC 9457), for programs. */
export type FailureCode = keyof typeof FAILURES;

/** One invalid place: `pointer` is a JSON pointer (RFC 6901) into the body, or `/<name>` of a parameter. */
export interface FieldError {
  pointer: string;
  detail: string;
}

/** What a failure has to say beside its code. */
export interface FailureDetails {
  errors?: FieldError[];
  /** Further members of the answer (RFC 9457 extension members), e.g. the two hashes of a conflict. */
  members?: Record<string, unknown>;
  /** Seconds after which trying again is worth it; only with `unavailable` and `rate_limited`. */
  retry_after_s?: number;
  /** With `unavailable`: certainly nothing was done, so that asking again is asking for the first time. */
  nothing_done?: boolean;
  /** For the log, never for the caller. */
  cause?: unknown;
}

/** The one error that services throw. It knows no transport; `message` is shown to the caller as it is. */
export class Failure extends Error {
  readonly errors?: FieldError[];
  readonly members?: Record<string, unknown>;
  readonly retry_after_s?: number;
  readonly nothing_done?: boolean;

  constructor(
    readonly code: FailureCode,
    detail: string = FAILURES[code],
    details: FailureDetails = {},
  ) {
    super(detail, { cause: details.cause });
    this.errors = details.errors;
    this.members = details.members;
    this.retry_after_s = details.retry_after_s ?? (code === 'unavailable' ? 1 : undefined);
    this.nothing_done = details.nothing_done;
  }

  /** `invalid`, naming the places. */
  static invalid(...errors: FieldError[]): Failure {
    return new Failure(
      'invalid',
      errors.map(({ pointer, detail }) => (pointer ? `${pointer} ${detail}` : detail)).join('; '),
      {
        errors,
      },
    );
  }
}
