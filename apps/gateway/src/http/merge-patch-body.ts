import { RouteConfig } from '@nestjs/platform-fastify';
import { type FastifyRequest } from 'fastify';
import { Failure } from '#contracts';
import { parseIJson } from './i-json.js';

export const MERGE_PATCH = 'application/merge-patch+json';

interface PatchConfig {
  accepts_merge_patch?: boolean;
}

/** The route takes `application/merge-patch+json` (RFC 7396) too: the body is then what `data` is otherwise. */
export function AcceptsMergePatch(): MethodDecorator {
  return RouteConfig({ accepts_merge_patch: true });
}

/** @throws Failure `unsupported_media_type` where the route does not say that it takes one */
export function mergePatchBody(request: FastifyRequest, body: Buffer): unknown {
  const { accepts_merge_patch } = request.routeOptions.config as PatchConfig;
  if (!accepts_merge_patch) throw new Failure('unsupported_media_type', 'Send application/json');
  return { data: parseIJson(body) };
}

/** A failure with its places in the body as it was sent: what the services know as `data` is all of a patch. */
export function inBodyAsSent(failure: Failure, request: FastifyRequest): Failure {
  const { accepts_merge_patch } = request.routeOptions.config as PatchConfig;
  if (!accepts_merge_patch || request.mediaType !== MERGE_PATCH || !failure.errors) return failure;
  return Failure.invalid(
    ...failure.errors.map(({ pointer, detail }) => ({
      pointer: pointer.replace(/^\/data(?=\/|$)/, ''),
      detail,
    })),
  );
}
