import { Logger } from '@nestjs/common';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  beginSpan,
  endSpan,
  idsOf,
  inSpan,
  isTraceparent,
  isTracing,
  serving,
  SpanKind,
  traceparentOf,
  type KnownRequest,
  type Span,
} from '#tracing';
import { routeOf } from './route-of.js';

const spans = new WeakMap<FastifyRequest, Span>();

/** The ids of a request: its own, and its trace's where it has one, kept or dropped. */
export function knownRequest(request: FastifyRequest): KnownRequest {
  const span = spans.get(request);
  const traceparent = span ? traceparentOf(span) : request.headers.traceparent;
  return { request_id: request.id, ...(isTraceparent(traceparent) && { traceparent }) };
}

/** A span for each request where spans go anywhere, a line for each where the log is to tell of each, its ids in all. */
export function followRequests(server: FastifyInstance, isTalkative: boolean): void {
  if (isTracing()) spanRequests(server);
  if (isTalkative) logRequests(server);
  server.addHook('preHandler', (request, _, done) => {
    serving([knownRequest(request)], () => inSpan(spans.get(request), done));
  });
}

function spanRequests(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { method } = request;
    const route = routeOf(request);
    const { traceparent } = knownRequest(request);
    // Never its URL: a device's id is in the path, and a key may be where none belongs.
    const span = beginSpan(`${method} ${route}`, () => ({
      kind: SpanKind.SERVER,
      traceparent,
      attributes: { 'http.request.method': method, 'http.route': route, 'flotilla.request_id': request.id },
    }));
    if (span) spans.set(request, span);
    if (span?.isRecording()) {
      // Also of a request that its client gave up.
      reply.raw.once('close', () => {
        span.setAttribute('http.response.status_code', reply.statusCode);
        endSpan(span, reply.statusCode >= 500 ? String(reply.statusCode) : undefined);
      });
    }
    done();
  });
}

function logRequests(server: FastifyInstance): void {
  const logger = new Logger('http');
  server.addHook('onResponse', (request, reply, done) => {
    const ids = idsOf(knownRequest(request));
    const { statusCode: status, elapsedTime } = reply;
    const took_ms = Math.round(elapsedTime * 10) / 10;
    logger.debug({
      msg: 'answered',
      ...ids,
      method: request.method,
      route: routeOf(request),
      status,
      took_ms,
    });
    done();
  });
}
