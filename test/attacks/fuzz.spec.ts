import { setTimeout as pause } from 'node:timers/promises';
import fc from 'fast-check';
import { type Answer } from '../http-client.js';
import { publishedDocument, publishedRoutes, type Route } from '../openapi-routes.js';
import { startSystem, type System } from '../system.js';
import { anyRequest, type AnyRequest } from './any-request.js';
import { LawfulAnswers } from './lawful-answers.js';
import { aLandscape } from './landscape.js';
import { ask } from './request.js';

/** `npm run test:fuzz -- --cases 20000 --seed 7` sets these. */
const CASES = Number(process.env.FUZZ_CASES ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
const AT_ONCE = 25;

/** A route, and the type of the body that it is sent. */
const typed = ({ name }: Route, media_type = 'no body'): string => `${name}, ${media_type}`;

/** Whose first success leaves nothing for the next one: of each thing there is one in a landscape. */
const spends = ({ method, name }: Route): boolean =>
  method === 'DELETE' || name === 'POST /v1/keys/{id}/rotate';

describe('any request that can be made from the document', () => {
  let system: System;
  beforeAll(async () => {
    // One key has many bulks and streams under way here.
    system = await startSystem({ BULKS_PER_KEY: '100', STREAMS_PER_KEY: '100' });
  });
  afterAll(() => system.stop());

  it(
    `has a lawful answer, ${CASES} times for each route, seed ${SEED}`,
    async () => {
      const laws = new LawfulAnswers(await publishedDocument(system.admin));
      const answered: { of: string; status: number }[] = [];
      const fuzz = async (route: Route): Promise<void> => {
        let landscape = await aLandscape(system);
        const send = async (request: AnyRequest): Promise<Answer> => {
          const answer = await ask(landscape.callers[request.role], request);
          answered.push({ of: typed(route, request.headers['content-type']), status: answer.status });
          const fault = laws.fault(route, request, answer);
          if (fault !== undefined) throw new Error(`${fault}\nto ${JSON.stringify(request).slice(0, 2_000)}`);
          return answer;
        };
        for (let batch = 0; batch < CASES / AT_ONCE; batch += 1) {
          const requests = fc.sample(anyRequest(route, landscape), {
            seed: SEED + batch,
            numRuns: AT_ONCE,
          });
          const answers = await Promise.all(requests.map(send));
          // What was too much among others is not too much alone, and what is too much alone is no load.
          for (const [index, { status, headers }] of answers.entries()) {
            if (status !== 503) continue;
            await pause(Number(headers.get('retry-after')) * 1_000);
            const again = await send(requests[index]!);
            if (again.status === 503)
              throw new Error(`answers 503 again\nto ${JSON.stringify(requests[index]).slice(0, 2_000)}`);
          }
          const isSpent = spends(route) && answers.some(({ status }) => status < 300);
          if (isSpent) landscape = await aLandscape(system);
        }
      };
      const routes = await publishedRoutes(system.admin);
      const faults: string[] = [];
      for (const route of routes) {
        await fuzz(route).catch((error: Error) => faults.push(`${route.name} ${error.message}`));
      }
      expect(faults).toEqual([]);
      expect((await system.admin.get('/v1/me')).status).toBe(200);
      // A fuzz of which nothing gets through, or everything, tries nothing.
      const well = answered.filter(({ status }) => status < 300);
      const tried = new Set(well.map(({ of }) => of));
      const all = routes.flatMap((route) =>
        route.bodies.length > 0 ? route.bodies.map((body) => typed(route, body.media_type)) : [typed(route)],
      );
      expect(all.filter((of) => !tried.has(of))).toEqual([]);
      expect(well.length).toBeGreaterThan(answered.length / 10);
      expect(well.length).toBeLessThan((answered.length * 9) / 10);
      const counts = Object.entries(Object.groupBy(answered, ({ status }) => status));
      console.log(
        `${answered.length} requests, answers by status: ${counts
          .map(([status, some]) => `${status} × ${some!.length}`)
          .join(', ')}`,
      );
    },
    60_000 + CASES * 1_000,
  );
});
