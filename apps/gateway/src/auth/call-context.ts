import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { Failure, IDEMPOTENCY_KEY_DETAIL, isIdempotencyKey, type Caller, type Idempotency } from '#contracts';
import { contentHash } from '#database';
import { knownRequest } from '../http/request-trail.js';
import { type AuthenticatedRequest } from './authentication.js';
import { RequestContext } from './request-context.js';

const WRITES = ['POST', 'PATCH', 'PUT'];

/** The context of a request whose key the guard has accepted. */
export const Context = createParamDecorator((_: unknown, execution: ExecutionContext): RequestContext => {
  const request = execution.switchToHttp().getRequest<AuthenticatedRequest>();
  const context = contextWithoutKey(request);
  const key = idempotencyKeyOf(request);
  if (key !== undefined && WRITES.includes(request.method)) {
    const route = `${request.method} ${request.routeOptions.url!}`;
    const { params, body = null, query } = request;
    context.idempotency = idempotencyOf(route, key, params, body, context.caller, query as object);
  }
  return context;
});

/** Who calls, and what travels along; without the promise of an idempotency key. */
export function contextWithoutKey(request: AuthenticatedRequest): RequestContext {
  const { principal, id, ip } = request;
  const context = new RequestContext({ caller: principal.caller, request_id: id }, ip);
  const { traceparent } = knownRequest(request);
  if (traceparent !== undefined) context.traceparent = traceparent;
  return context;
}

/** @throws Failure `invalid` for a key that is none */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || isIdempotencyKey(key)) return key;
  throw Failure.invalid({ pointer: '/Idempotency-Key', detail: IDEMPOTENCY_KEY_DETAIL });
}

/** The same call again is the same route, path, body and query, and the same device where one calls. */
export function idempotencyOf(
  route: string,
  key: string,
  params: unknown,
  body: unknown,
  { role, principal }: Caller,
  query: object = {},
): Idempotency {
  // A device's key never answers for another device, so who it is belongs to the content.
  const device = role === 'device' ? principal : null;
  // Hashes are kept for ever, and most are of calls without a query.
  const asked = Object.keys(query).length > 0 ? [query] : [];
  return { route, key, content_hash: contentHash([params, body, device, ...asked]) };
}
