import { NotFoundException } from '@nestjs/common';
import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { Failure } from '#contracts';
import { type AuthenticatedRequest } from '../auth/authentication.js';
import { oneKeyOf } from '../auth/one-key.js';
import { NDJSON, streamsNdjson } from './ndjson-body.js';
import { routeOf } from './route-of.js';

/** Refuses what no body could mend before the body is read: nobody has anything parsed without a key. */
export function refuseUnread(server: FastifyInstance): void {
  server.addHook('onRequest', (request, _, done) => {
    check(request);
    done();
  });
}

function check(request: FastifyRequest): void {
  // Nor does a route with a part that is empty answer anything.
  if (request.is404 || Object.values(request.params as object).includes('')) throw new NotFoundException();
  if (routeOf(request).startsWith('/v1/')) (request as AuthenticatedRequest).key = oneKeyOf(request);
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new Failure('unsupported_media_type', 'Send the body without Content-Encoding');
  // Of another type it would be read whole, and no limit of time would apply to it.
  if (streamsNdjson(request) && request.mediaType !== NDJSON)
    throw new Failure('unsupported_media_type', `Send ${NDJSON}`);
}
