import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Failure } from '#contracts';
import { contentHash } from '#database';
import { type AuthenticatedRequest } from './auth.guard.js';
import { RequestContext } from './request-context.js';

const WRITES = ['POST', 'PATCH', 'PUT'];
const VISIBLE = /^[\x21-\x7e]{1,255}$/;
const TRACEPARENT = /^[\da-f]{2}-[\da-f]{32}-[\da-f]{16}-[\da-f]{2}$/;

/** The context of a request whose key the guard has accepted. */
export const Context = createParamDecorator((_: unknown, execution: ExecutionContext): RequestContext => {
  const request = execution.switchToHttp().getRequest<AuthenticatedRequest>();
  const { caller } = request.principal;
  const context = new RequestContext({ caller, request_id: request.id }, request.ip);
  const traceparent = request.headers.traceparent;
  if (typeof traceparent === 'string' && TRACEPARENT.test(traceparent)) context.traceparent = traceparent;

  const key = request.headers['idempotency-key'];
  if (key !== undefined && WRITES.includes(request.method)) {
    if (typeof key !== 'string' || !VISIBLE.test(key)) {
      throw Failure.invalid({
        pointer: '/Idempotency-Key',
        detail: 'must be 1 to 255 visible ASCII characters',
      });
    }
    // A device's key never answers for another device, so who it is belongs to the content.
    const device = caller.role === 'device' ? caller.principal : null;
    context.idempotency = {
      route: `${request.method} ${request.routeOptions.url!}`,
      key,
      content_hash: contentHash([request.params, request.body ?? null, device]),
    };
  }
  return context;
});
