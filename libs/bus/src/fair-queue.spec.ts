import fc from 'fast-check';
import { context } from '#testing';
import { FairQueue, type QueueLimits } from './fair-queue.js';
import { type PendingCall } from './pending-call.js';

const LIMITS: QueueLimits = {
  calls_waiting: 1_000,
  longest_wait_ms: 500,
  calls_a_frame: 4,
  bytes_a_frame: 300,
};

function aCall(project_id: string, rest: Partial<PendingCall> = {}): PendingCall {
  return {
    context: context({ project_id }),
    body: '',
    queued_at: 0,
    expires_at: Infinity,
    settle: () => undefined,
    ...rest,
  };
}

function aCompany(project_id: string, count: number): PendingCall[] {
  const company = Symbol('company');
  return Array.from({ length: count }, () => aCall(project_id, { company }));
}

function queueOf(calls: PendingCall[], limits: Partial<QueueLimits> = {}): FairQueue {
  const queue = new FairQueue({ ...LIMITS, ...limits });
  for (const call of calls) queue.push(call);
  return queue;
}

const projectsOf = (calls: PendingCall[]): string[] => calls.map(({ context }) => context.caller.project_id);
const times = (count: number, project_id: string): PendingCall[] =>
  Array.from({ length: count }, () => aCall(project_id));

describe('calls that wait for a frame', () => {
  it('leave in turns of their projects, however many one of them has', () => {
    const queue = queueOf([...times(50, 'noisy'), ...times(2, 'a'), aCall('b')]);
    expect(projectsOf(queue.takeFrame())).toEqual(['noisy', 'a', 'b', 'noisy']);
    expect(projectsOf(queue.takeFrame())).toEqual(['noisy', 'a', 'noisy', 'noisy']);
  });

  it('give the next frame to those who were not in this one', () => {
    const queue = queueOf(['a', 'b', 'c', 'd', 'e', 'f'].flatMap((project) => times(2, project)));
    expect(projectsOf(queue.takeFrame())).toEqual(['a', 'b', 'c', 'd']);
    expect(projectsOf(queue.takeFrame())).toEqual(['e', 'f', 'a', 'b']);
  });

  it('leave with the whole of their company, and nobody else', () => {
    const company = aCompany('a', 7);
    const queue = queueOf([...company, ...times(2, 'a'), aCall('b')]);
    expect(queue.takeFrame()).toEqual(company);
    expect(projectsOf(queue.takeFrame())).toEqual(['a', 'b', 'a']);
  });

  it('wait for a company once, not for each company of a project', () => {
    const [first, second] = [aCompany('a', 5), aCompany('a', 5)];
    const alone = aCall('a');
    const queue = queueOf([...first, ...second, alone]);
    expect([queue.takeFrame(), queue.takeFrame(), queue.takeFrame()]).toEqual([first, [alone], second]);
  });

  describe('are refused', () => {
    const late = LIMITS.longest_wait_ms + 1;

    it('when the first of their project has waited too long, and no longer when it has left', () => {
      const queue = queueOf([
        ...times(4, 'noisy'),
        ...times(2, 'noisy').map((call) => ({ ...call, queued_at: late })),
      ]);
      expect(queue.isBehindFor(aCall('noisy'), late - 1)).toBe(false);
      expect(queue.isBehindFor(aCall('noisy'), late)).toBe(true);
      queue.takeFrame();
      expect(queue.isBehindFor(aCall('noisy'), late)).toBe(false);
    });

    it('not for what other projects have waiting', () => {
      const queue = queueOf(times(50, 'noisy'));
      expect(queue.isBehindFor(aCall('quiet'), late)).toBe(false);
      queue.push(aCall('quiet', { queued_at: late }));
      expect(queue.isBehindFor(aCall('quiet'), late + 1)).toBe(false);
      expect(queue.isBehindFor(aCall('noisy'), late + 1)).toBe(true);
    });

    it('never while all that waits fits into the next frame', () => {
      const queue = queueOf(times(LIMITS.calls_a_frame - 1, 'slow'));
      expect(queue.isBehindFor(aCall('slow'), 60_000)).toBe(false);
    });

    it('when as many wait as are free, so that others find places too', () => {
      const queue = queueOf(times(6, 'noisy'), { calls_waiting: 12 });
      expect(queue.isFullFor(aCall('noisy'))).toBe(true);
      expect(queue.isFullFor(aCall('quiet'))).toBe(false);
    });
  });

  describe('whatever comes and goes,', () => {
    type Step = { come: { project: string; company: number; size: number } } | { go: number } | 'frame';
    const steps = fc.array(
      fc.oneof(
        {
          weight: 6,
          arbitrary: fc.record({
            come: fc.record({
              project: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'),
              company: fc.constantFrom(0, 0, 0, 1, 6),
              size: fc.constantFrom(0, 10, 60, 500),
            }),
          }),
        },
        { weight: 1, arbitrary: fc.record({ go: fc.nat(50) }) },
        { weight: 2, arbitrary: fc.constant<'frame'>('frame') },
      ),
      { maxLength: 80 },
    );
    const limits = fc.record({
      ...{ calls_waiting: fc.integer({ min: 1, max: 40 }), longest_wait_ms: fc.constant(500) },
      ...{ calls_a_frame: fc.integer({ min: 1, max: 5 }), bytes_a_frame: fc.constantFrom(1, 300, 100_000) },
    });

    /** What waits, by a model that has nothing but a list; `frame` sees each frame and what waited before it. */
    function play(
      taken: Step[],
      bounds: QueueLimits,
      frame: (frame: PendingCall[], before: PendingCall[]) => void,
    ): { queue: FairQueue; waiting: PendingCall[] } {
      const queue = new FairQueue(bounds);
      let waiting: PendingCall[] = [];
      const leave = (): void => {
        const before = waiting;
        const left = queue.takeFrame();
        waiting = waiting.filter((call) => !left.includes(call));
        frame(left, before);
      };
      for (const step of taken) {
        if (step === 'frame') {
          if (waiting.length > 0) leave();
        } else if ('go' in step) {
          const gone = waiting[step.go % Math.max(1, waiting.length)];
          if (gone) queue.remove(gone);
          waiting = waiting.filter((call) => call !== gone);
        } else {
          const { project, company, size } = step.come;
          const body = 'x'.repeat(size);
          const calls = company > 0 ? aCompany(project, company) : [aCall(project, { body })];
          if (queue.isFullFor(calls[0]!)) continue;
          for (const call of calls) queue.push(call);
          waiting = [...waiting, ...calls];
        }
        expect(queue.length).toBe(waiting.length);
      }
      while (waiting.length > 0) leave();
      return { queue, waiting };
    }

    it('each leaves once, in the order of its queue, and frames keep their bounds', () => {
      fc.assert(
        fc.property(steps, limits, (taken, bounds) => {
          const seen = new Set<PendingCall>();
          const { queue } = play(taken, bounds, (frame, before) => {
            const [first] = frame;
            expect(frame.length).toBeGreaterThan(0);
            for (const call of frame) {
              expect(seen.has(call)).toBe(false);
              seen.add(call);
            }
            if (first!.company) {
              expect(frame).toEqual(before.filter(({ company }) => company === first!.company));
              return;
            }
            expect(frame.length).toBeLessThanOrEqual(bounds.calls_a_frame);
            const bytes = frame.reduce((sum, { body }) => sum + 3 * body.length, 0);
            if (frame.length > 1) expect(bytes).toBeLessThanOrEqual(bounds.bytes_a_frame);
            for (const project of new Set(projectsOf(frame))) {
              const ofProject = (call: PendingCall): boolean =>
                call.company === undefined && call.context.caller.project_id === project;
              const mine = frame.filter(ofProject);
              expect(mine).toEqual(before.filter(ofProject).slice(0, mine.length));
            }
          });
          expect(queue.length).toBe(0);
        }),
      );
    });

    it('no project waits for a second call of another', () => {
      fc.assert(
        fc.property(steps, limits, (taken, bounds) => {
          play(taken, { ...bounds, bytes_a_frame: 100_000 }, (frame, before) => {
            if (frame[0]!.company) return;
            const counts = new Map<string, number>();
            for (const project of projectsOf(frame)) counts.set(project, (counts.get(project) ?? 0) + 1);
            const most = Math.max(...counts.values());
            const singles = before.filter(({ company }) => company === undefined);
            for (const project of new Set(projectsOf(singles))) {
              const had = projectsOf(singles).filter((one) => one === project).length;
              expect(counts.get(project) ?? 0).toBeGreaterThanOrEqual(Math.min(had, most - 1));
            }
          });
        }),
      );
    });

    it('more never wait than may, but for the company of the last', () => {
      fc.assert(
        fc.property(steps, limits, (taken, bounds) => {
          play(taken, bounds, (_, before) => {
            expect(before.length).toBeLessThan(bounds.calls_waiting + 6);
          });
        }),
      );
    });
  });
});
