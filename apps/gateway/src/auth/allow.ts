import { applyDecorators, HttpCode, SetMetadata } from '@nestjs/common';
import { ApiBearerAuth, ApiDefaultResponse, ApiProperty, ApiResponse } from '@nestjs/swagger';
import { Failure, type Constructor, type Role } from '#contracts';

export const ALLOWED_ROLES = 'flotilla:allowed-roles';

class ProblemPlace {
  @ApiProperty({ description: 'JSON pointer (RFC 6901) into the body, or /name of a parameter.' })
  pointer!: string;
  @ApiProperty() detail!: string;
}

/** RFC 9457. */
export class Problem {
  @ApiProperty() type!: string;
  @ApiProperty() title!: string;
  @ApiProperty({ type: 'integer' }) status!: number;
  @ApiProperty() detail!: string;
  @ApiProperty() code!: string;
  @ApiProperty() request_id!: string;
  @ApiProperty({ type: [ProblemPlace], required: false }) errors?: ProblemPlace[];
}

/** Which roles may use a route, and what it answers when all is well. A route without it answers nobody. */
export function Allow(roles: readonly Role[], status: number, type?: Constructor<unknown>): MethodDecorator {
  return applyDecorators(
    SetMetadata(ALLOWED_ROLES, roles),
    HttpCode(status),
    ApiBearerAuth(),
    ApiResponse({ status, ...(type && { type }) }),
    ApiDefaultResponse({
      description: `A problem. Allowed: ${roles.join(', ')}.`,
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    }),
  );
}

/** @throws Failure `forbidden` unless the role is one of these */
export function checkRole(role: Role, allowed: readonly Role[]): void {
  if (!allowed.includes(role)) throw new Failure('forbidden', `A key of role ${role} may not do that`);
}

export const OPERATOR = ['operator'] as const;
export const ADMINS = ['admin'] as const;
export const WRITERS = ['admin', 'editor'] as const;
export const READERS = ['admin', 'editor', 'viewer'] as const;
/** Data of the project: a device reads and writes what is its own. */
export const DATA_READERS = ['admin', 'editor', 'viewer', 'device'] as const;
export const DATA_WRITERS = ['admin', 'editor', 'device'] as const;
