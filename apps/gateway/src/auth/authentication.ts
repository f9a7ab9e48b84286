import { type FastifyInstance, type FastifyRequest } from 'fastify';
import { Failure } from '#contracts';
import { type KeyRing } from './key-ring.js';
import { type Principal } from './principal.js';
import { type RateLimiter } from './rate-limiter.js';

export type AuthenticatedRequest = FastifyRequest & {
  /** As it was sent. */
  key: string;
  principal: Principal;
};

/**
 * Looks up who asks, and counts it, before a body is read: nothing is parsed for a key that is none, and what cannot be parsed
 * counts as a request of its key like any other.
 */
export function authenticateUnread(
  server: FastifyInstance,
  keyRing: KeyRing,
  rateLimiter: RateLimiter,
): void {
  server.addHook('onRequest', async (request, reply) => {
    const { key } = request as Partial<AuthenticatedRequest>;
    // Without one are only the routes that everybody may ask.
    if (key === undefined) return;
    const principal = await principalOf(key, keyRing);
    await rateLimiter.consume(principal.caller.key_id, reply);
    (request as AuthenticatedRequest).principal = principal;
  });
}

/** @throws Failure `unauthenticated` without a key, and for one that is not known, revoked or expired */
export async function principalOf(key: string | undefined, keyRing: KeyRing): Promise<Principal> {
  const held = key === undefined ? undefined : keyRing.holderOf(key);
  const principal = held instanceof Promise ? await held : held;
  if (!principal) throw new Failure('unauthenticated', 'This key is not valid');
  return principal;
}
