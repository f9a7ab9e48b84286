import { type FastifyInstance } from 'fastify';
import { type Socket } from 'node:net';
import { announcedBytes } from './announced-body.js';
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
    // Node calls no request complete before its handlers have run, not even one without a body.
    if (announcedBytes(request) > 0 && !streamsNdjson(request)) {
      const timer = setTimeout(() => {
        if (!raw.complete) refuse(raw.socket);
      }, limit_ms).unref();
      for (const ended of ['end', 'close']) raw.once(ended, () => clearTimeout(timer));
    }
    done();
  });
}
