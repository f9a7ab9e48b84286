import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../../bench/random.js';
import { type Ingress } from './ingress.js';
import { isSuccess } from './history.js';
import { type Journal } from './journal.js';
import { type Project } from './project.js';
import { type Write } from './write.js';
import { type KeyedWrite, type WriteMix } from './write-mix.js';

export interface WorkloadOptions {
  /** Writes begun a second, evenly; fewer when too many wait for their acknowledgement. */
  rate: number;
  /** A write that is not acknowledged this long after its first sending is given up. */
  patience_ms: number;
}

/** Writes without an acknowledgement at once. */
const MOST_OPEN = 400;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 1_000;
const LISTS = [
  '/v1/events?limit=20',
  '/v1/messages?limit=20',
  '/v1/states?limit=20',
  '/v1/devices',
  '/v1/prices/changes?limit=20&order=desc',
];

/**
 * Sends writes, each until it is acknowledged or given up, and writes all of it down. Some are sent twice at once,
 * some once more after their acknowledgement, some with a key that was used for other content; some lists are read.
 */
export class Workload {
  /** Writes with a 2xx so far. */
  acknowledged = 0;
  /** Answers of any kind that were not 2xx, and cut connections. */
  failed = 0;
  given_up = 0;
  /** When each kind was last invoked and then acknowledged: the invocation's time. */
  readonly lastGood = new Map<string, number>();
  private readonly open = new Set<Promise<void>>();
  /** Each hundredth acknowledged write. */
  private readonly sample: KeyedWrite[] = [];
  private stopping = false;
  private pacing?: Promise<void>;

  constructor(
    private readonly ingress: Ingress,
    private readonly journal: Journal,
    private readonly mix: WriteMix,
    private readonly projects: readonly Project[],
    private readonly random: Random,
    private readonly options: WorkloadOptions,
  ) {}

  start(): void {
    this.stopping = false;
    this.pacing = this.pace();
  }

  /** Begins no more writes, and sees those begun to their end. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.pacing;
    await Promise.all(this.open);
  }

  private async pace(): Promise<void> {
    const pause_ms = 1_000 / this.options.rate;
    let due = performance.now();
    while (!this.stopping) {
      due = Math.max(due + pause_ms, performance.now() - 1_000);
      await pause(Math.max(0, due - performance.now()));
      if (this.open.size < MOST_OPEN) this.begin();
    }
  }

  private begin(): void {
    // Everything that is left to chance is drawn here, in one order, so that the seed decides it.
    const next = this.mix.next();
    const [twin, repeat, misuse, read] = [20, 10, 40, 25].map((of) => this.random.below(of) === 0);
    const list = this.random.pick(LISTS);
    const reader = this.random.pick(this.projects);
    this.follow(this.see(next, { twin: twin!, repeat: repeat!, misuse: misuse! }));
    if (read) this.follow(this.read(reader, list));
  }

  private follow(work: Promise<void>): void {
    const tracked = work.finally(() => this.open.delete(tracked));
    this.open.add(tracked);
  }

  /** A write from its invocation to its end. */
  private async see(
    next: KeyedWrite,
    also: { twin: boolean; repeat: boolean; misuse: boolean },
  ): Promise<void> {
    const { write } = next;
    const invoked_at = performance.now();
    this.journal.note({ at: invoked_at, what: 'invoked', write });
    const twin = also.twin ? this.send(next) : undefined;
    for (let pause_ms = FIRST_PAUSE_MS; ; pause_ms = Math.min(pause_ms * 2, LONGEST_PAUSE_MS)) {
      if (await this.send(next)) break;
      this.failed += 1;
      if (performance.now() - invoked_at > this.options.patience_ms) {
        this.given_up += 1;
        this.journal.note({ at: performance.now(), what: 'given_up', number: write.number });
        await twin;
        return;
      }
      await pause(pause_ms);
    }
    this.acknowledged += 1;
    if (this.acknowledged % 100 === 0) this.sample.push(next);
    this.lastGood.set(write.kind, Math.max(invoked_at, this.lastGood.get(write.kind) ?? 0));
    await twin;
    if (also.repeat) await this.send(next);
    if (also.misuse) await this.misuse(next);
  }

  /** Acknowledged keys once more, when all is over: the answers to a key are to be equal for ever. */
  async repeatSample(): Promise<void> {
    for (const next of this.sample) await this.send(next);
  }

  private async send(next: KeyedWrite): Promise<boolean> {
    const { number } = next.write;
    const outcome = await this.ingress.send(requestOf(next));
    const at = performance.now();
    if ('cut' in outcome) {
      this.journal.note({ at, what: 'cut', number, ...outcome });
      return false;
    }
    this.journal.note({ at, what: 'answered', number, ...outcome });
    return isSuccess(outcome);
  }

  private async misuse({ write, key }: KeyedWrite): Promise<void> {
    const other: Write = { ...write, body: { ...write.body, ...otherContent(write) } };
    const outcome = await this.ingress.send(requestOf({ write: other, key }));
    const noted = { at: performance.now(), number: write.number };
    if ('cut' in outcome) this.journal.note({ what: 'cut', ...noted, ...outcome });
    else this.journal.note({ what: 'misused', ...noted, ...outcome });
  }

  private async read({ id, admin_key }: Project, path: string): Promise<void> {
    const headers = { authorization: `Bearer ${admin_key}` };
    const outcome = await this.ingress.send({ method: 'GET', path, headers });
    this.journal.note({ at: performance.now(), what: 'read', project_id: id, path, ...outcome });
  }
}

function requestOf({ write, key }: KeyedWrite) {
  return {
    method: write.method,
    path: write.path,
    headers: {
      authorization: `Bearer ${key}`,
      'content-type': 'application/json',
      'idempotency-key': write.idempotency_key,
      // What is logged about a write names its project by this.
      'x-request-id': write.idempotency_key,
    },
    body: JSON.stringify(write.body),
  };
}

function otherContent({ kind }: Write): Record<string, unknown> {
  switch (kind) {
    case 'state':
      return { data: { write: 'never' } };
    case 'event':
    case 'message':
      return { message: 'never' };
    case 'price':
      return { price: '0.000001' };
    case 'firmware':
      return { firmware: '0.0.0-never' };
    case 'device':
      return { name: 'never' };
  }
}
