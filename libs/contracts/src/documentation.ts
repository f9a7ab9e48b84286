import type * as openApi from '@nestjs/swagger';

export type { ApiPropertyOptions } from '@nestjs/swagger';

type OpenApi = typeof openApi;

const declarations: ((openApi: OpenApi) => void)[] = [];

/** A decorator of `@nestjs/swagger` that keeps what it was told until somebody asks for it. */
function deferred<Name extends keyof OpenApi>(name: Name): OpenApi[Name] {
  type Decorate = (...options: unknown[]) => (...place: unknown[]) => void;
  const decorate: Decorate =
    (...options) =>
    (...place) =>
      void declarations.push((openApi) => (openApi[name] as Decorate)(...options)(...place));
  return decorate as OpenApi[Name];
}

/*
 * What `@nestjs/swagger` calls so, for classes that services load, too: services publish no document, and so load
 * neither that package nor the 500 files behind it.
 */
export const ApiExtraModels = deferred('ApiExtraModels');
export const ApiOkResponse = deferred('ApiOkResponse');
export const ApiOperation = deferred('ApiOperation');
export const ApiProperty = deferred('ApiProperty');
export const ApiPropertyOptional = deferred('ApiPropertyOptional');
export const ApiServiceUnavailableResponse = deferred('ApiServiceUnavailableResponse');
export const ApiTags = deferred('ApiTags');

/** Tells `@nestjs/swagger` all that was declared: to be called before a document is made. */
export function declareTo(openApi: OpenApi): void {
  for (const declare of declarations.splice(0)) declare(openApi);
}
