import { type PendingCall } from './pending-call.js';

export interface QueueLimits {
  /** Calls that may wait for a frame, half of them of one project alone; more are refused at once. */
  calls_waiting: number;
  /** While the first call of a project has waited for longer than this, the next of the project are refused. */
  longest_wait_ms: number;
  calls_a_frame: number;
  /** A frame takes no further call once its bodies have this many bytes; one call alone may be larger. */
  bytes_a_frame: number;
}

/**
 * The calls of one subject that wait for a frame. Each project has a queue of its own, and the projects take turns, call
 * by call: however many calls one of them makes, the others wait for their own.
 */
export class FairQueue {
  /** None is empty; whose turn is next is first. */
  private readonly queues = new Map<string, PendingCall[]>();
  private waiting = 0;

  constructor(private readonly limits: QueueLimits) {}

  get length(): number {
    return this.waiting;
  }

  get calls(): PendingCall[] {
    return [...this.queues.values()].flat();
  }

  /** Whether a frame would be full. */
  get fillsFrame(): boolean {
    return this.waiting >= this.limits.calls_a_frame;
  }

  /** Whether nothing more may wait beside what waits like it: a queue has as many places as are left for others. */
  isFullFor(call: Pick<PendingCall, 'context' | 'company'>): boolean {
    const { length } = this.queues.get(nameOf(call)) ?? [];
    return length >= this.limits.calls_waiting - this.waiting;
  }

  /** Whether the project would wait too long. What leaves with the next frame does not. */
  isBehindFor(call: Pick<PendingCall, 'context' | 'company'>, now: number): boolean {
    const first = this.queues.get(nameOf(call))?.[0];
    return this.fillsFrame && first !== undefined && now - first.queued_at > this.limits.longest_wait_ms;
  }

  push(call: PendingCall): void {
    const name = nameOf(call);
    const queue = this.queues.get(name);
    if (queue) queue.push(call);
    else this.queues.set(name, [call]);
    this.waiting += 1;
  }

  /** Takes out a call that waits for nothing any more, if it is here. */
  remove(call: PendingCall): void {
    const queue = this.queues.get(nameOf(call));
    const place = queue?.indexOf(call) ?? -1;
    if (place < 0) return;
    queue!.splice(place, 1);
    this.waiting -= 1;
    if (queue!.length === 0) this.queues.delete(nameOf(call));
  }

  /** Takes out the calls of the next frame: a company, or calls of all projects in turn. Something has to wait. */
  takeFrame(): PendingCall[] {
    const [name, queue] = this.queues.entries().next().value!;
    const { company } = queue[0]!;
    if (company === undefined) return this.takeTurns();
    const others = queue.findIndex((call) => call.company !== company);
    return this.take(name, others < 0 ? queue.length : others);
  }

  private takeTurns(): PendingCall[] {
    const { calls_a_frame, bytes_a_frame } = this.limits;
    const frame: PendingCall[] = [];
    const taken = new Map<string, number>();
    let bytes = 0;
    for (const [name, call] of this.inTurns()) {
      // A character is at most three bytes of UTF-8: a bound that needs no counting.
      bytes += call.body.length * 3;
      if (frame.length === calls_a_frame || (frame.length > 0 && bytes > bytes_a_frame)) break;
      frame.push(call);
      taken.set(name, (taken.get(name) ?? 0) + 1);
    }
    for (const [name, count] of taken) this.take(name, count);
    return frame;
  }

  /** The first call of each project, then the second of each, and so on; companies have turns of their own. */
  private *inTurns(): Generator<[string, PendingCall]> {
    let queues = [...this.queues].filter(([, [first]]) => first!.company === undefined);
    for (let turn = 0; queues.length > 0; turn += 1) {
      for (const [name, queue] of queues) yield [name, queue[turn]!];
      queues = queues.filter(([, { length }]) => length > turn + 1);
    }
  }

  /** The first calls of a queue, whose turn is then over. */
  private take(name: string, count: number): PendingCall[] {
    const queue = this.queues.get(name)!;
    const taken = queue.splice(0, count);
    this.waiting -= taken.length;
    this.queues.delete(name);
    if (queue.length > 0) this.queues.set(name, queue);
    return taken;
  }
}

/** Companies of a project do not stand in the way of its single calls. */
function nameOf({ context, company }: Pick<PendingCall, 'context' | 'company'>): string {
  const { project_id } = context.caller;
  return company === undefined ? project_id : `${project_id} together`;
}
