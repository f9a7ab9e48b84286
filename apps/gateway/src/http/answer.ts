import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Reply } from '#contracts';

/**
 * Turns a `Reply` into HTTP: its marks into headers, its JSON into the body as it stands. A GET whose
 * `If-None-Match` names the version it already has gets 304 (RFC 9110, section 13.1.2).
 */
export function answer(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  done(null, payload instanceof Reply ? mark(payload, request, reply) : payload);
}

function mark(
  payload: Reply<unknown>,
  request: FastifyRequest,
  reply: FastifyReply,
): Reply<unknown> | string {
  const { replayed, repeated, version, next_cursor } = payload.marks;
  reply.header('content-type', 'application/json; charset=utf-8');
  if (replayed) reply.header('idempotency-replayed', 'true');
  if (repeated) reply.code(200);
  if (next_cursor !== undefined) reply.header('link', linkToNext(request.url, next_cursor));
  if (version === undefined) return payload;

  const etag = `"${version}"`;
  reply.header('etag', etag);
  const known = request.headers['if-none-match'];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead || known === undefined || !matches(known, etag)) return payload;
  reply.code(304).removeHeader('content-type');
  return '';
}

/** Up to this size, a body is sent as text: Node then writes it together with the headers, as one buffer. */
const SHORT_BYTES = 16 * 1024;

/** Bodies are JSON text already when a service wrote them. */
export function serialize(payload: unknown): string {
  if (payload instanceof Reply) {
    const { json } = payload;
    return (Buffer.isBuffer(json) && json.length <= SHORT_BYTES ? json.toString() : json) as string;
  }
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}

/** Whether a list of entity tags, or `*`, names this one; weakly, as both conditions here allow. */
export function matches(tags: string, etag: string): boolean {
  return tags.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}

function linkToNext(url: string, cursor: string): string {
  const next = new URL(url, 'http://gateway');
  next.searchParams.set('cursor', cursor);
  return `<${next.pathname}${next.search}>; rel="next"`;
}
