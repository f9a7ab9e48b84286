import { type Writable } from 'node:stream';
import { Injectable, SetMetadata } from '@nestjs/common';
import { Failure } from '#contracts';

/** Requests of a line that are under way at once while projects share the gateway. */
export const AT_ONCE = 48;
/** The gateway is shared for so long after two projects have asked, one after the other. */
const SHARED_MS = 1_000;
/** How long a request waits for its turn, and how many may; others are refused, and nothing of them is done. */
const LONGEST_WAIT_MS = 2_000;
export const MOST_WAITING = 1_024;

export const HAS_OWN_BOUND = Symbol('routes whose answers take their time, and that bound them otherwise');

/** Marks a route whose requests take no turns. */
export const HasOwnBound = (): MethodDecorator => SetMetadata(HAS_OWN_BOUND, true);

/** The requests of one project to one route. */
interface Line {
  underWay: number;
  /** In the order in which they came. */
  waiting: (() => void)[];
}

/**
 * Whose turn it is. A project alone has all of the gateway. While others ask, too, those of its requests to one route
 * that are too many wait, read and not yet looked at: an event loop full of one project's requests is none for the
 * others, and callers who are answered later come back later.
 */
@Injectable()
export class Turns {
  private readonly lines = new Map<string, Line>();
  private last_project?: string;
  private shared_until = 0;

  /** How many wait, of all projects. */
  get waiting(): number {
    return [...this.lines.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  /** Resolves when the request may go on; its turn ends with its answer. @throws Failure `unavailable` */
  begin(project_id: string, route: string, response: Writable): Promise<void> | undefined {
    const line = this.lineOf(`${project_id} ${route}`);
    const enter = (): void => {
      // Who hung up while it waited takes nobody's turn.
      if (response.closed) return;
      line.underWay += 1;
      response.once('close', () => this.leave(line));
    };
    if (this.isShared(project_id) && line.underWay >= AT_ONCE) return wait(line, enter);
    enter();
    return undefined;
  }

  private leave(line: Line): void {
    line.underWay -= 1;
    const isShared = performance.now() < this.shared_until;
    while (line.waiting.length > 0 && !(isShared && line.underWay >= AT_ONCE)) line.waiting.shift()!();
  }

  private isShared(project_id: string): boolean {
    const now = performance.now();
    if (project_id !== this.last_project) {
      if (this.last_project !== undefined) this.shared_until = now + SHARED_MS;
      this.last_project = project_id;
    }
    return now < this.shared_until;
  }

  /** Lines stay: who asked once asks again, and a table of what comes and goes keeps it (decision 9). */
  private lineOf(name: string): Line {
    let line = this.lines.get(name);
    if (!line) this.lines.set(name, (line = { underWay: 0, waiting: [] }));
    return line;
  }
}

function wait({ waiting }: Line, enter: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (): void =>
      reject(
        new Failure('unavailable', 'Too many requests of this project wait here', { nothing_done: true }),
      );
    if (waiting.length >= MOST_WAITING) {
      refuse();
      return;
    }
    const patience = setTimeout(() => {
      waiting.splice(waiting.indexOf(proceed), 1);
      refuse();
    }, LONGEST_WAIT_MS);
    const proceed = (): void => {
      clearTimeout(patience);
      enter();
      resolve();
    };
    waiting.push(proceed);
  });
}
