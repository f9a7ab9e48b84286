import { SetMetadata } from '@nestjs/common';

export const IS_PUBLIC = 'flotilla:public';

/** Opens a route, or all routes of a controller, to callers without a key. Everything else is closed. */
export function Public(): MethodDecorator & ClassDecorator {
  return SetMetadata(IS_PUBLIC, true);
}
