import { type FastifyRequest } from 'fastify';

/** The longest body that is taken, but by routes whose body is a stream. */
export const BODY_LIMIT_BYTES = 256 * 1024;

/** The bytes of body that the head of a request announces: any number for one that comes in chunks (RFC 9112, section 6). */
export function announcedBytes({ headers }: FastifyRequest): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
}
