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

const AUTHORIZATION = 'authorization';

export type AuthenticatedRequest = FastifyRequest & { principal: Principal };

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
    const held = this.keyRing.holderOf(keyOf(request));
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

/** Exactly one key, in one of its three places. */
function keyOf({ headers, raw }: FastifyRequest): string {
  const bearer =
    headers.authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(headers.authorization)?.[1];
  const given = [headers.authorization, headers['x-api-key'], headers.api_key].filter(
    (one) => one !== undefined,
  );
  if (given.length === 0) throw new Failure('unauthenticated', 'Send a key: Authorization: Bearer <key>');
  if (given.length > 1 || isSentAgain(raw.rawHeaders))
    throw new Failure('unauthenticated', 'Send exactly one key');
  const key = headers.authorization === undefined ? String(given[0]) : bearer;
  if (!key) throw new Failure('unauthenticated', 'Send the key as Authorization: Bearer <key>');
  return key;
}

/** Of several headers `Authorization` Node keeps the first, and says nothing of the others. */
function isSentAgain(names_and_values: string[]): boolean {
  let times = 0;
  for (let at = 0; at < names_and_values.length; at += 2) {
    const name = names_and_values[at]!;
    if (name.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION) times += 1;
  }
  return times > 1;
}
