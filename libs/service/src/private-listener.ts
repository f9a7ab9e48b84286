import { Logger } from '@nestjs/common';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { FAILURES, Failure } from '#contracts';
import { type HealthController } from './health.controller.js';
import { type Metrics } from './metrics.js';
import { requestIdOf } from './request-id.js';

/**
 * The listener that only orchestrators and monitors reach: health and metrics, apart from public traffic, so
 * that a full public port does not look like a dead process.
 */
export async function openPrivateListener(
  health: HealthController,
  metrics: Metrics,
  port: number,
): Promise<FastifyInstance> {
  const listener = fastify({ requestTimeout: 30_000, forceCloseConnections: true, genReqId: requestIdOf });
  listener.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  listener.get('/health', () => health.health());
  listener.get('/health/live', () => health.live());
  listener.get('/health/ready', () => health.ready());
  listener.get('/metrics', async (_, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });
  listener.setNotFoundHandler((request, reply) => send(request, reply, 404, new Failure('not_found')));
  listener.setErrorHandler((error, request, reply) => {
    if (error instanceof Failure && error.code === 'unavailable') return send(request, reply, 503, error);
    Logger.error(error, 'private listener');
    return send(request, reply, 500, new Failure('internal'));
  });
  await listener.listen({ port, host: '0.0.0.0' });
  return listener;
}

/** A failure as problem+json (RFC 9457). */
function send({ id }: FastifyRequest, reply: FastifyReply, status: number, failure: Failure): FastifyReply {
  const { code, message: detail, members, retry_after_s } = failure;
  if (retry_after_s !== undefined) reply.header('retry-after', String(retry_after_s));
  return reply
    .status(status)
    .type('application/problem+json')
    .send({ type: 'about:blank', title: FAILURES[code], status, detail, code, request_id: id, ...members });
}
