import { type FastifyInstance } from 'fastify';
import { LoopDelay } from '#bus';
import { Failure } from '#contracts';
import { type Metrics } from '#service';

/** Refuses requests at once, except for health, while the event loop of this process is further behind than `limit_ms`. */
export function shedLoad(server: FastifyInstance, limit_ms: number, metrics: Metrics): void {
  const shed = metrics.counter('http_shed_total', 'Requests refused because the event loop fell behind.', []);
  const loopDelay = new LoopDelay();
  server.addHook('onRequest', ({ url }, _, done) => {
    const isRefused = loopDelay.ms > limit_ms && !url.startsWith('/health');
    if (isRefused) shed.inc();
    done(isRefused ? new Failure('unavailable', 'The gateway is overloaded') : undefined);
  });
  server.addHook('onClose', (_, done) => {
    loopDelay.close();
    done();
  });
}
