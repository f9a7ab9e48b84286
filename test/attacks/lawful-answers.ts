import { Ajv, type ValidateFunction } from 'ajv';
import { type Answer } from '../http-client.js';
import { type Route } from '../openapi-routes.js';
import { type Request } from './request.js';

type Content = Record<string, { schema?: object }>;

/** Objects hold what they declare and nothing else, unless they say that they may. */
function closed(schemas: Record<string, any>): Record<string, any> {
  return Object.fromEntries(
    Object.entries(schemas).map(([name, schema]) => [name, { additionalProperties: false, ...schema }]),
  );
}

/** The values that a body holds: of a stream those that were whole when it was left. */
function valuesIn(type: string, body: any): unknown[] {
  if (type === 'text/event-stream') {
    const whole = (body as string).split('\n\n').slice(0, -1);
    const data = whole.flatMap((event) => event.split('\n')).filter((line) => line.startsWith('data: '));
    return data.map((line) => JSON.parse(line.slice('data: '.length)) as unknown);
  }
  if (type !== 'application/x-ndjson') return [body];
  const lines = (body as string).split('\n').filter((line) => line !== '');
  return lines.map((line) => JSON.parse(line) as unknown);
}

/** Holds answers against what the document says of their route. */
export class LawfulAnswers {
  private readonly ajv = new Ajv({ strict: false });
  private readonly validators = new Map<string, ValidateFunction>();

  constructor(private readonly document: any) {
    this.ajv.addFormat('date-time', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    this.ajv.addFormat('uuid', /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    this.ajv.addFormat('email', /@/);
    this.ajv.addSchema({ components: { schemas: closed(document.components.schemas) } }, 'api');
  }

  /** What is wrong with an answer; undefined when it is lawful. */
  fault(route: Route, request: Request, { status, headers, body }: Answer): string | undefined {
    if (status >= 500 && (status !== 503 || headers.get('retry-after') === null)) return `answers ${status}`;
    if (status === 304)
      return request.headers['if-none-match'] === undefined ? 'answers 304 unasked' : undefined;
    const answers = this.document.paths[route.path][route.method.toLowerCase()].responses;
    const content = (answers[status] ?? answers.default)?.content as Content | undefined;
    if (!(status in answers) && status < 400) return `answers ${status}, of which the document knows nothing`;
    if (content === undefined)
      return body === '' ? undefined : `answers ${status} with a body that is not declared`;
    const type = headers.get('content-type')?.split(';')[0] ?? 'none';
    const schema = content[type]?.schema;
    if (!schema) return `answers ${status} as ${type}, which is not declared`;
    if (status >= 400 && body.status !== status) return `says ${String(body.status)} in an answer ${status}`;
    const validate = this.validatorOf(type === 'text/event-stream' ? this.streamed() : schema);
    for (const value of valuesIn(type, body))
      if (!validate(value))
        return `answers ${status} with ${JSON.stringify(value).slice(0, 300)}: ${this.ajv.errorsText(validate.errors)}`;
    return undefined;
  }

  /** What the data of a stream's events are, which OpenAPI 3.0 cannot say: entries of the timeline, and why it ends. */
  private streamed(): object {
    const timeline = this.document.paths['/v1/timeline'].get.responses[200].content as Content;
    return { anyOf: [timeline['application/x-ndjson']!.schema, { $ref: '#/components/schemas/Problem' }] };
  }

  private validatorOf(schema: object): ValidateFunction {
    const text = JSON.stringify(schema).replaceAll('"#/components', '"api#/components');
    let validator = this.validators.get(text);
    if (!validator) this.validators.set(text, (validator = this.ajv.compile(JSON.parse(text) as object)));
    return validator;
  }
}
