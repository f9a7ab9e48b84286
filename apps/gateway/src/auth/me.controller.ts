import { Controller, Get, RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { DiscoveryService, MetadataScanner, Reflector } from '@nestjs/core';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Reply, type CallContext, type Role } from '#contracts';
import { Allow, ALLOWED_ROLES } from './allow.js';
import { Context } from './call-context.js';
import { Me } from './resources.js';

interface AllowedRoute {
  route: string;
  roles: Role[];
}

@ApiTags('callers')
@Controller('v1/me')
export class MeController {
  private routes?: AllowedRoute[];

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly reflector: Reflector,
  ) {}

  @Get()
  @Allow(['operator', 'admin', 'editor', 'viewer', 'device'], 200, Me)
  @ApiOperation({ summary: 'Who this key is, and what it may do' })
  me(@Context() { caller }: CallContext): Reply<Me> {
    const { project_id, role, principal, address, key_id } = caller;
    this.routes ??= this.allowedRoutes();
    const may = this.routes.filter(({ roles }) => roles.includes(role)).map(({ route }) => route);
    return Reply.of({ role, project_id: project_id || null, principal, address, key_id, may });
  }

  /** From the very declarations that the guard reads. */
  private allowedRoutes(): AllowedRoute[] {
    return this.discovery.getControllers().flatMap(({ metatype, instance }) => {
      const prototype = Object.getPrototypeOf(instance) as object;
      const base = this.reflector.get<string>(PATH_METADATA, metatype as Type);
      return this.scanner.getAllMethodNames(prototype).flatMap((name) => {
        const handler = (prototype as Record<string, () => unknown>)[name]!;
        const roles = this.reflector.get<Role[] | undefined>(ALLOWED_ROLES, handler);
        if (!roles) return [];
        const path = [base, this.reflector.get<string>(PATH_METADATA, handler)].join('/').replace(/\/+$/, '');
        return {
          route: `${RequestMethod[this.reflector.get<number>(METHOD_METADATA, handler)]!} /${path}`,
          roles,
        };
      });
    });
  }
}
