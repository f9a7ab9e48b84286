import { type INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { Problem } from './auth/allow.js';

/** The OpenAPI 3.0 document, from the same declarations that validate requests. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const description = new DocumentBuilder()
    .setTitle('Flotilla')
    .setDescription('One REST API for a fleet of connected devices.')
    .setVersion('1')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key: flt_…' })
    .build();
  return SwaggerModule.createDocument(app, description, { extraModels: [Problem] });
}

/** `/openapi.json`, and a UI at `/docs` that loads nothing from elsewhere. */
export function publishOpenApi(app: INestApplication): void {
  SwaggerModule.setup('docs', app, openApiDocument(app), { jsonDocumentUrl: 'openapi.json', raw: ['json'] });
}
