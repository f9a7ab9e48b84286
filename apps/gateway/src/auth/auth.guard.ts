import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type FastifyReply } from 'fastify';
import { type Role } from '#contracts';
import { IS_PUBLIC } from '#service';
import { ALLOWED_ROLES, checkRole } from './allow.js';
import { principalOf, type AuthenticatedRequest } from './authentication.js';
import { KeyRing } from './key-ring.js';
import { HAS_OWN_BOUND, Turns } from './turns.js';

/** The one guard in front of every route: no key, no right, no answer; `@Public()` and `@Allow()` open. */
@Injectable()
export class AuthGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly keyRing: KeyRing,
    private readonly turns: Turns,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const places = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(IS_PUBLIC, places)) return true;

    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { key, body, principal: found } = request as Partial<AuthenticatedRequest>;
    // While a body came, the key may have been taken back.
    const principal = found && body === undefined ? found : await principalOf(key, this.keyRing);
    const { project_id, role } = principal.caller;
    checkRole(role, this.reflector.getAllAndOverride<Role[] | undefined>(ALLOWED_ROLES, places) ?? []);
    request.principal = principal;
    if (this.reflector.getAllAndOverride<boolean | undefined>(HAS_OWN_BOUND, places)) return true;
    const { raw } = context.switchToHttp().getResponse<FastifyReply>();
    const turn = this.turns.begin(project_id, `${request.method} ${request.routeOptions.url!}`, raw);
    if (turn) await turn;
    return true;
  }
}
