import { AT_ONCE } from '../apps/gateway/src/auth/turns.js';
import { anEvent } from './builders.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

describe('two projects at one gateway', () => {
  let system: System;
  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
  });
  afterAll(() => system.stop());

  it('take turns, and are both served whole', async () => {
    const [loud, quiet] = [await aProject(system, 'loud'), await aProject(system, 'quiet')];
    const record = async (project: Project): Promise<number> =>
      (await project.editor.post('/v1/events', anEvent({ component: 'turns' }))).status;
    /** Requests that wait for the turn of their project. */
    const waiting = async (): Promise<number> => {
      const metrics = await fetch(`http://127.0.0.1:${system.gateway.health_port}/metrics`);
      return Number(/^flotilla_http_waiting.* (\d+)$/m.exec(await metrics.text())![1]);
    };
    const over = new AbortController();
    const counts = { loud: 0, quiet: 0 };
    const crowd = Array.from({ length: 3 * AT_ONCE }, async () => {
      while (!over.signal.aborted) {
        expect(await record(loud)).toBe(201);
        counts.loud += 1;
      }
    });
    for (let hasWaited = false; !hasWaited || counts.quiet < 20; hasWaited ||= (await waiting()) > 0) {
      expect(await record(quiet)).toBe(201);
      counts.quiet += 1;
    }
    over.abort();
    await Promise.all(crowd);
    for (const [project, count] of [
      [loud, counts.loud],
      [quiet, counts.quiet],
    ] as const) {
      const path = '/v1/events/histogram?interval=day&component=turns';
      const { buckets } = (await project.editor.get(path)).body as { buckets: { count: number }[] };
      expect(buckets.reduce((sum, bucket) => sum + bucket.count, 0)).toBe(count);
    }
  });
});
