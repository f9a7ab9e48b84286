import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyReply, type FastifyRequest } from 'fastify';
import { Failure, type Role } from '#contracts';
import { IS_PUBLIC } from '#service';
import { ALLOWED_ROLES, checkRole } from './allow.js';
import { KeyRing } from './key-ring.js';
import { type Principal } from './principal.js';
import { RateLimiter } from './rate-limiter.js';
import { HAS_OWN_BOUND, Turns } from './turns.js';

export type AuthenticatedRequest = FastifyRequest & {
  /** As it was sent, before anybody has looked it up. */
  key: string;
  principal: Principal;
};

/** The one guard in front of every route: no key, no right, no answer; `@Public()` and `@Allow()` open. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keyRing: KeyRing,
    private readonly rateLimiter: RateLimiter,
    private readonly turns: Turns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, places)) return true;

    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { key } = request as Partial<AuthenticatedRequest>;
    const held = key === undefined ? undefined : this.keyRing.holderOf(key);
    const principal = held instanceof Promise ? await held : held;
    if (!principal) throw new Failure('unauthenticated', 'This key is not valid');
    const { key_id, project_id, role } = principal.caller;
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    await this.rateLimiter.consume(key_id, reply);
    checkRole(role, this.reflector.getAllAndOverride<Role[] | undefined>(ALLOWED_ROLES, places) ?? []);
    request.principal = principal;
    if (this.reflector.getAllAndOverride<boolean | undefined>(HAS_OWN_BOUND, places)) return true;
    const turn = this.turns.begin(project_id, `${request.method} ${request.routeOptions.url!}`, reply.raw);
    if (turn) await turn;
    return true;
  }
}
