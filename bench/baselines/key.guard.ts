import { createParamDecorator, Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { type FastifyRequest } from 'fastify';
import { Failure } from '#contracts';

type RequestOfProject = FastifyRequest & { project_id: string };

/** The cheapest check of a key that is one: a look-up in memory. It can neither be revoked nor limited. */
@Injectable()
export class KeyGuard implements CanActivate {
  private readonly projects: Map<string, string>;

  constructor(keys: string) {
    this.projects = new Map(Object.entries(JSON.parse(keys) as Record<string, string>));
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<RequestOfProject>();
    const project_id = this.projects.get(request.headers.authorization?.slice('Bearer '.length) ?? '');
    if (project_id === undefined) throw new Failure('unauthenticated');
    request.project_id = project_id;
    return true;
  }
}

/** None before the guard has spoken. */
export function projectsOf(request: FastifyRequest): string[] {
  const { project_id } = request as Partial<RequestOfProject>;
  return project_id === undefined ? [] : [project_id];
}

/** The project whose key the request came with. */
export const Project = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<RequestOfProject>().project_id,
);
