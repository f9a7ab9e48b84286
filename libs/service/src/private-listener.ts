import { Logger } from '@nestjs/common';
import fastify, { type FastifyInstance } from 'fastify';
import { FAILURES, Failure } from '#contracts';
import { type HealthController } from './health.controller.js';
import { type Metrics } from './metrics.js';

/**
 * The listener that only orchestrators and monitors reach: health and metrics, apart from public traffic, so
 * that a full public port does not look like a dead process.
 */
export async function openPrivateListener(
  health: HealthController,
  metrics: Metrics,
  port: number,
): Promise<FastifyInstance> {
  const listener = fastify({ requestTimeout: 30_000, forceCloseConnections: true });
  listener.get('/health', () => health.health());
  listener.get('/health/live', () => health.live());
  listener.get('/health/ready', () => health.ready());
  listener.get('/metrics', async (_, reply) => {
    reply.type(metrics.contentType);
    return metrics.text();
  });
  listener.setNotFoundHandler((_, reply) => {
    reply.status(404).type('application/problem+json');
    return { type: 'about:blank', title: FAILURES.not_found, status: 404, code: 'not_found' };
  });
  listener.setErrorHandler((error, _, reply) => {
    if (!(error instanceof Failure)) Logger.error(error, 'private listener');
    const code = error instanceof Failure ? error.code : 'internal';
    const status = code === 'unavailable' ? 503 : 500;
    if (status === 503) reply.header('retry-after', '1');
    reply.status(status).type('application/problem+json');
    const failure = error instanceof Failure ? error : new Failure('internal');
    return reply.send({
      type: 'about:blank',
      title: FAILURES[code],
      status,
      detail: failure.message,
      code,
      ...failure.members,
    });
  });
  await listener.listen({ port, host: '0.0.0.0' });
  return listener;
}
