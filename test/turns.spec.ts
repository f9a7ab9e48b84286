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
    const over = new AbortController();
    const crowd = Promise.all(Array.from({ length: 6 * AT_ONCE }, () => record(loud)));
    void crowd.finally(() => over.abort());
    let served = 0;
    do {
      expect(await record(quiet)).toBe(201);
      served += 1;
    } while (!over.signal.aborted);
    expect(new Set(await crowd)).toEqual(new Set([201]));
    for (const [project, count] of [
      [loud, 6 * AT_ONCE],
      [quiet, served],
    ] as const) {
      const { body } = await project.editor.get('/v1/events?component=turns&limit=1000');
      expect(body.events).toHaveLength(count);
    }
  });
});
