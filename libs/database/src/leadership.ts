import { setTimeout } from 'node:timers/promises';
import { type Logger } from '@nestjs/common';
import { Lead } from './lead.js';

const TRY_AGAIN_MS = 500;

/**
 * Work that one of all replicas does at a time. Each waits for the lead; whose work fails gives it up, says why, and
 * waits anew, until it is told to stop.
 */
export class Leadership {
  private readonly stopping = new AbortController();
  private running?: Promise<void>;
  private problem?: string;
  /** What the log tells of already. */
  private told?: string;
  private isAtWork = false;
  /** The time in ms of the oldest of what the work is behind with. */
  waiting_since?: number;

  /**
   * @param url of the database, for a connection of its own
   * @param name of the lead, see `Lead.wait`
   * @param work says when it has `begun` and when it is `well`, and ends soon once `isStopping`
   */
  constructor(
    private readonly url: string,
    private readonly name: string,
    private readonly work: (lead: Lead) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  start(): void {
    this.running = this.run();
  }

  /** Resolves when the work has ended and the lead is given up. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  get isStopping(): boolean {
    return this.stopping.signal.aborted;
  }

  get isLeading(): boolean {
    return this.isAtWork;
  }

  /** How far the work is behind, in s. */
  get lag_s(): number {
    return this.waiting_since === undefined ? 0 : (Date.now() - this.waiting_since) / 1_000;
  }

  /** Rejects with what keeps this process from the work. */
  check(): Promise<void> {
    return this.problem === undefined ? Promise.resolve() : Promise.reject(new Error(this.problem));
  }

  begun(): void {
    this.isAtWork = true;
    this.waiting_since = undefined;
  }

  /** What kept it from the work is over. */
  well(): void {
    this.problem = this.told = undefined;
  }

  /** Ends early at a stop. */
  async pause(length_ms: number): Promise<void> {
    await setTimeout(length_ms, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      try {
        const lead = await Lead.wait(this.url, this.name, this.stopping.signal, () => {
          // The work is somebody else's now, and what kept this process from it says nothing any more.
          this.problem = undefined;
          this.waiting_since = undefined;
        });
        if (lead) await this.work(lead).finally(() => lead.giveUp());
      } catch (error) {
        this.report(error);
        await this.pause(TRY_AGAIN_MS);
      } finally {
        this.isAtWork = false;
      }
    }
  }

  /** Once for each problem, however long it lasts, and whoever else tries meanwhile. */
  private report(error: unknown): void {
    // Each try may be of another file.
    const { code, syscall } = error as NodeJS.ErrnoException;
    const problem = syscall === undefined ? String(error) : `${syscall}: ${code!}`;
    if (problem !== this.told) this.logger.error(error);
    this.problem = this.told = problem;
  }
}
