import { type FastifyInstance } from 'fastify';
import { type Socket } from 'node:net';
import { streamsNdjson } from './ndjson-body.js';

/**
 * Bodies must be there in time, also those that nobody reads. Node's own `requestTimeout` would say so too, but knows no
 * exception for the routes whose body is a stream.
 */
export function limitBodyTime(
  server: FastifyInstance,
  limit_ms: number,
  refuse: (socket: Socket) => void,
): void {
  server.addHook('onRequest', (request, _, done) => {
    const { raw } = request;
    if (!raw.complete && !streamsNdjson(request)) {
      const timer = setTimeout(() => refuse(raw.socket), limit_ms);
      for (const ended of ['end', 'close']) raw.once(ended, () => clearTimeout(timer));
    }
    done();
  });
}
