import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Reply } from '#contracts';
import { namesVersion } from './preconditions.js';

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

function mark(payload: Reply<unknown>, request: FastifyRequest, reply: FastifyReply): Reply<unknown> | null {
  const { replayed, repeated, version, next_cursor } = payload.marks;
  reply.header('content-type', 'application/json; charset=utf-8');
  if (replayed) reply.header('idempotency-replayed', 'true');
  if (repeated) reply.code(200);
  if (next_cursor !== undefined) reply.header('link', linkToNext(request.url, next_cursor));
  if (version === undefined) return payload;

  reply.header('etag', `"${version}"`);
  const known = request.headers['if-none-match'];
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (!isRead || known === undefined || !namesVersion(known, version)) return payload;
  reply.code(304).removeHeader('content-type');
  // A length, where one is told, is that of the answer that is spared (RFC 9110, section 8.6).
  return request.method === 'HEAD' ? payload : null;
}

/** Up to this size, a body is sent as text: Node then writes it together with the headers, as one buffer. */
const SHORT_BYTES = 16 * 1024;

/** Bodies are JSON text already when a service wrote them; null is none. */
export function serialize(payload: unknown): string | null {
  if (payload === null) return null;
  if (payload instanceof Reply) {
    const { json } = payload;
    return (Buffer.isBuffer(json) && json.length <= SHORT_BYTES ? json.toString() : json) as string;
  }
  return typeof payload === 'string' ? payload : JSON.stringify(payload);
}

/** What may stand in a URL as it was sent, but not in a URI (RFC 3986). */
const NOT_IN_URI = /[^\x21-\x7e]|[<>"\\^`{|}]/g;

/** The target as it was sent, with another cursor: a URL that is parsed is not always the one that was sent. */
function linkToNext(url: string, cursor: string): string {
  const [path, query] = url.split(/\?(.*)/s) as [string, string?];
  const others = (query ?? '')
    .split('&')
    .filter((part) => part !== '' && !new URLSearchParams(part).has('cursor'));
  const next = `${path}?${[...others, `cursor=${encodeURIComponent(cursor)}`].join('&')}`;
  const escaped = next.replace(NOT_IN_URI, (byte) => `%${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
  return `<${escaped}>; rel="next"`;
}
