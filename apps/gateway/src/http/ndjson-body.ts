import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyRequest } from 'fastify';
import { type IncomingMessage } from 'node:http';
import { Failure } from '#contracts';

export const NDJSON = 'application/x-ndjson';

/** The route takes `application/x-ndjson` alone, as a stream: neither the limit of a body nor its time apply to it. */
export function StreamsNdjson(): MethodDecorator {
  return RouteConfig({ streams_ndjson: true });
}

export function streamsNdjson({ routeOptions }: FastifyRequest): boolean {
  return (routeOptions.config as { streams_ndjson?: boolean }).streams_ndjson === true;
}

/** @throws Failure `unsupported_media_type` where the route does not say that it takes one */
export function ndjsonBody(request: FastifyRequest, body: IncomingMessage): IncomingMessage {
  if (!streamsNdjson(request)) throw new Failure('unsupported_media_type', 'Send application/json');
  return body;
}
