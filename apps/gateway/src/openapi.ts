import { type INestApplication } from '@nestjs/common';
import * as openApi from '@nestjs/swagger';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { declareTo, IDEMPOTENCY_KEY_SCHEMA } from '#contracts';
import { Problem } from './auth/allow.js';
import { MERGE_PATCH } from './http/merge-patch-body.js';
import { NDJSON } from './http/ndjson-body.js';

type Operation = NonNullable<OpenAPIObject['paths'][string]['get']>;
type Content = Extract<Operation['requestBody'], { content: object }>['content'];
type Schema = Exclude<
  NonNullable<NonNullable<OpenAPIObject['components']>['schemas']>[string],
  { $ref: string }
>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;
/** Refusals may have further members by their code (RFC 9457, section 3.2), e.g. the two hashes of a conflict. */
const HOLDING_MORE = ['Problem', 'LineError'];
const WRITES = ['post', 'put', 'patch'];
const IDEMPOTENCY_KEY: NonNullable<Operation['parameters']>[number] = {
  name: 'idempotency-key',
  in: 'header',
  required: false,
  description: 'A repeat under the same key gets the first answer again, for ever.',
  schema: { type: 'string', ...IDEMPOTENCY_KEY_SCHEMA },
};

/** The OpenAPI 3.0 document, from the same declarations that validate requests. */
function openApiDocument(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('Flotilla')
    .setDescription('One REST API for a fleet of connected devices.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key: flt_…' })
    .build();
  declareTo(openApi);
  const document = SwaggerModule.createDocument(app, description, { extraModels: [Problem] });
  for (const path of Object.values(document.paths)) {
    for (const method of METHODS) {
      const parameters = path[method]?.parameters ?? [];
      // Conditions may be put on a request; none needs them.
      for (const one of parameters) if ('in' in one && one.in === 'header') one.required = false;
      if (WRITES.includes(method)) path[method]?.parameters?.push(IDEMPOTENCY_KEY);
    }
    if (path.get) declareExports(path.get, document);
    if (path.patch) declareMergePatch(path.patch, document);
  }
  for (const name of HOLDING_MORE)
    Object.assign(document.components!.schemas![name]!, { additionalProperties: true });
  return document;
}

/** Of whatever answers pages, all rows are to be had at once: see `list`. */
function declareExports({ responses }: Operation, document: OpenAPIObject): void {
  const answer = responses['200'] as Exclude<Operation['responses'][string], { $ref: string }> | undefined;
  const page = classOf(answer?.content, document);
  if (!page?.properties?.next_cursor) return;
  const [rows] = Object.values(page.properties as Record<string, Schema>).filter(
    ({ type }) => type === 'array',
  );
  answer!.content![NDJSON] = { schema: rows!.items! };
  answer!.content!['text/csv'] = { schema: { type: 'string' } };
  answer!.headers = { Link: { description: 'The next page, as rel="next".', schema: { type: 'string' } } };
}

/** A merge patch is what `data` of the body is otherwise: see `mergePatchBody`. */
function declareMergePatch({ requestBody }: Operation, document: OpenAPIObject): void {
  const { content } = requestBody as { content: Content };
  if (content[MERGE_PATCH]) content[MERGE_PATCH].schema = classOf(content, document)!.properties!.data!;
}

/** What a body of JSON is declared to be. */
function classOf(content: Content | undefined, { components }: OpenAPIObject): Schema | undefined {
  const reference = (content?.['application/json']?.schema as { $ref?: string } | undefined)?.$ref;
  return components!.schemas![reference?.split('/').at(-1) ?? ''] as Schema | undefined;
}

/** `/openapi.json`, and a UI at `/docs` that loads nothing from elsewhere. */
export function publishOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, openApiDocument(app), { jsonDocumentUrl: 'openapi.json', raw: ['json'] });
}
