import {
  Catch,
  HttpException,
  Logger,
  NotFoundException,
  type ArgumentsHost,
  type ExceptionFilter,
} from '@nestjs/common';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Failure, FAILURES, type FailureCode } from '#contracts';
import { type AllowedMethods } from './http/allowed-methods.js';
import { announcedBytes, BODY_LIMIT_BYTES } from './http/announced-body.js';
import { inBodyAsSent } from './http/merge-patch-body.js';
import { streamsNdjson } from './http/ndjson-body.js';

/** The one table from failures to HTTP. */
export const STATUS: Record<FailureCode, number> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  unknown_recipient: 404,
  method_not_allowed: 405,
  conflict: 409,
  idempotency_conflict: 409,
  precondition_failed: 412,
  too_large: 413,
  unsupported_media_type: 415,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

const CODE_OF_STATUS = new Map(Object.entries(STATUS).map(([code, status]) => [status, code as FailureCode]))
  .set(404, 'not_found')
  .set(409, 'conflict');

/** Everything that fails, as problem+json (RFC 9457). What is not ours to show is logged, with the request's id. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  constructor(private readonly allowed: AllowedMethods) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>();
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // Of the router: no route has that path and method.
    if (error instanceof NotFoundException) error = this.unrouted(request, reply);
    sendProblem(error, request, reply);
  }

  private unrouted(request: FastifyRequest, reply: FastifyReply): Failure {
    const methods = this.allowed.of(request.url.split('?')[0]!);
    if (methods.length === 0) return new Failure('not_found');
    reply.header('allow', methods.join(', '));
    return new Failure('method_not_allowed');
  }
}

export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const failure = inBodyAsSent(failureOf(error), request);
  if (failure.code === 'internal' || failure.cause) {
    Logger.error({ request_id: request.id, err: failure.cause ?? error }, 'request failed');
  }
  if (reply.sent || reply.raw.headersSent) {
    reply.raw.destroy();
    return;
  }
  // Nobody reads the rest of a body that is a stream, or longer than any that is taken: it may have no end.
  const isUnread = request.body === undefined && announcedBytes(request) > BODY_LIMIT_BYTES;
  if (isUnread || streamsNdjson(request)) reply.header('connection', 'close');
  if (failure.retry_after_s !== undefined) reply.header('retry-after', String(failure.retry_after_s));
  if (failure.code === 'unauthenticated') reply.header('www-authenticate', 'Bearer realm="flotilla"');
  reply
    .status(STATUS[failure.code])
    .header('content-type', 'application/problem+json')
    .header('cache-control', 'no-store')
    .send(problemOf(failure, request.id));
}

export function problemOf(failure: Failure, request_id: string): Record<string, unknown> {
  const { detail, code, ...places } = reasonOf(failure);
  const status = STATUS[failure.code];
  return { type: 'about:blank', title: FAILURES[failure.code], status, detail, code, request_id, ...places };
}

/** Of a problem, what does not hang on HTTP. */
export function reasonOf(failure: Failure): Record<string, unknown> {
  return {
    detail: failure.message,
    code: failure.code,
    ...(failure.errors && { errors: failure.errors }),
    ...failure.members,
  };
}

/** Frameworks speak in statuses; their messages stay inside unless they are about the request itself. */
function failureOf(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { statusCode, code } = error as { statusCode?: number; code?: string };
  const status = error instanceof HttpException ? error.getStatus() : statusCode;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return new Failure('too_large', 'The body is too large');
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE')
    return new Failure('unsupported_media_type', 'Send application/json');
  const known = status === undefined ? undefined : CODE_OF_STATUS.get(status);
  if (!known || known === 'internal') {
    return status !== undefined && status >= 400 && status < 500
      ? new Failure('invalid', 'The request cannot be understood')
      : new Failure('internal', undefined, { cause: error });
  }
  return new Failure(known);
}
