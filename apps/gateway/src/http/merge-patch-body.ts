import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyRequest } from 'fastify';
import { Failure } from '#contracts';
import { parseIJson } from './i-json.js';

export const MERGE_PATCH = 'application/merge-patch+json';

/** The route takes `application/merge-patch+json` (RFC 7396) too: the body is then what `data` is otherwise. */
export function AcceptsMergePatch(): MethodDecorator {
  return RouteConfig({ accepts_merge_patch: true });
}

/** @throws Failure `unsupported_media_type` where the route does not say that it takes one */
export function mergePatchBody(request: FastifyRequest, body: Buffer): unknown {
  const { accepts_merge_patch } = request.routeOptions.config as { accepts_merge_patch?: boolean };
  if (!accepts_merge_patch) throw new Failure('unsupported_media_type', 'Send application/json');
  return { data: parseIJson(body) };
}
