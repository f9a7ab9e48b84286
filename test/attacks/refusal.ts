import { type Answer } from '../http-client.js';
import { type Route } from '../openapi-routes.js';

/** What an answer never shows: stacks, SQL and its errors, subjects of the bus. */
const INSIDES =
  /\n\s+at |\.[jt]s:\d+|node_modules|\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\b|\brelation "|violates|pg_\w|\b(activity-events|device-state|firmware|messages|pricing)\.[a-z]/;
const MEMBERS = ['type', 'title', 'status', 'detail', 'code', 'request_id', 'errors'];
/** Members of single codes: a repeat with other content, a price that is another, parts that are missing. */
const EXTENSIONS = ['first_content_hash', 'content_hash', 'product_id', 'current_price', 'parts'];

/** That an answer refuses with one of these statuses, as a problem that shows no insides; `of` names the case. */
export function expectProblem(answer: Answer, statuses: number[], of: string): void {
  const { status, headers, body } = answer;
  expect({ of, status }).toEqual({ of, status: statuses.includes(status) ? status : statuses });
  expect({ of, type: headers.get('content-type') }).toEqual({
    of,
    type: expect.stringMatching(/^application\/problem\+json/),
  });
  expect({ of, ...body }).toMatchObject({
    of,
    type: expect.any(String),
    title: expect.any(String),
    status,
    detail: expect.any(String),
    code: expect.any(String),
    request_id: headers.get('x-request-id'),
  });
  const more = Object.keys(body as object).filter((name) => ![...MEMBERS, ...EXTENSIONS].includes(name));
  expect({ of, more }).toEqual({ of, more: [] });
  expect(JSON.stringify(body)).not.toMatch(INSIDES);
}

/** The same of a body: a bulk as a whole is well, and its one line refused. */
export function expectRefused(route: Route, answer: Answer, statuses: number[], of: string): void {
  if (!isOfVerdicts(route, answer)) {
    expectProblem(answer, statuses, of);
    return;
  }
  const [verdict, ...more] = verdictsOf(answer);
  expect({ of, more }).toEqual({ of, more: [] });
  expect({ of, verdict }).toMatchObject({
    of,
    verdict: {
      status: statuses.includes(verdict!.status) ? verdict!.status : statuses,
      error: { code: expect.any(String), detail: expect.any(String) },
    },
  });
  expect(JSON.stringify(verdict)).not.toMatch(INSIDES);
}

/** The places that a refused body is wrong at. */
export function pointersOf(route: Route, answer: Answer): string[] {
  const problem = (isOfVerdicts(route, answer) ? verdictsOf(answer)[0]!.error : answer.body) as {
    errors: { pointer: string }[];
  };
  return problem.errors.map(({ pointer }) => pointer);
}

function isOfVerdicts({ bodies }: Route, { status }: Answer): boolean {
  return bodies[0]?.media_type === 'application/x-ndjson' && status === 200;
}

function verdictsOf({ body }: Answer): { status: number; error: object }[] {
  return (body as string)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { status: number; error: object });
}
