import fc from 'fast-check';
import { publishedDocument, publishedRoutes, type Route } from '../openapi-routes.js';
import { startSystem, type System } from '../system.js';
import { anyRequest } from './any-request.js';
import { LawfulAnswers } from './lawful-answers.js';
import { aLandscape } from './landscape.js';
import { ask } from './request.js';

/** `npm run test:fuzz -- --cases 20000 --seed 7` sets these. */
const CASES = Number(process.env.FUZZ_CASES ?? 500);
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31);
const AT_ONCE = 25;

describe('any request that can be made from the document', () => {
  let system: System;
  beforeAll(async () => {
    // One key has many bulks under way here.
    system = await startSystem({ BULKS_PER_KEY: '100' });
  });
  afterAll(() => system.stop());

  it(
    `has a lawful answer, ${CASES} times for each route, seed ${SEED}`,
    async () => {
      const laws = new LawfulAnswers(await publishedDocument(system.admin));
      const statuses = new Map<number, number>();
      const fuzz = async (route: Route): Promise<string | undefined> => {
        const landscape = await aLandscape(system);
        const some = fc.array(anyRequest(route, landscape), { minLength: AT_ONCE, maxLength: AT_ONCE });
        const property = fc.asyncProperty(some, async (requests) => {
          await Promise.all(
            requests.map(async (request) => {
              const answer = await ask(landscape.callers[request.role], request);
              statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
              const fault = laws.fault(route, request, answer);
              if (fault !== undefined)
                throw new Error(`${fault}\nto ${JSON.stringify(request).slice(0, 2_000)}`);
            }),
          );
        });
        const result = await fc.check(property, {
          seed: SEED,
          numRuns: Math.ceil(CASES / AT_ONCE),
          endOnFailure: true,
        });
        return result.failed ? `${route.name} ${(result.errorInstance as Error).message}` : undefined;
      };
      const faults: string[] = [];
      for (const route of await publishedRoutes(system.admin)) {
        const fault = await fuzz(route);
        if (fault !== undefined) faults.push(fault);
      }
      expect(faults).toEqual([]);
      expect((await system.admin.get('/v1/me')).status).toBe(200);
      // A fuzz of which nothing gets through, or everything, tries nothing.
      const total = [...statuses.values()].reduce((sum, count) => sum + count, 0);
      const well = [...statuses]
        .filter(([status]) => status < 300)
        .reduce((sum, [, count]) => sum + count, 0);
      expect(well).toBeGreaterThan(total / 10);
      expect(well).toBeLessThan((total * 9) / 10);
      console.log(
        `${total} requests, answers by status: ${[...statuses]
          .sort()
          .map((each) => each.join(' × '))
          .join(', ')}`,
      );
    },
    60_000 + CASES * 1_000,
  );
});
