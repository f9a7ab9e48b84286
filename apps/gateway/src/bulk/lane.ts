import { type Bus } from '#bus';
import { type Failure, type Outcome } from '#contracts';
import { type AnyLineKind } from './line-kinds.js';
import { isTemporary, Pauses } from './patience.js';
import { type PendingLine } from './pending-line.js';

const LINES_A_FRAME = 512;
const BYTES_A_FRAME = 1024 * 1024;
const FRAMES_UNDER_WAY = 2;

/**
 * The lines of one kind on their way to their service, in frames. A line leaves when all lines before it about the same
 * subject have their verdict, or leave with it. What is temporarily unavailable is tried again for a while, as long as
 * its repeat is harmless.
 */
export class Lane {
  private waiting: PendingLine[] = [];
  private framesUnderWay = 0;
  private readonly pauses = new Pauses();
  private pause?: NodeJS.Timeout;
  /** Since when no frame has found the service there. */
  private failing_since?: number;
  private isAbandoned = false;

  constructor(
    private readonly kind: AnyLineKind,
    private readonly bus: Bus,
    private readonly patience_ms: number,
    /** Runs whenever lines may have got their verdict. */
    private readonly onOutcome: () => void,
  ) {}

  push(line: PendingLine): void {
    this.waiting.push(line);
  }

  /** Sends all that may leave now. */
  go(): void {
    while (this.framesUnderWay < FRAMES_UNDER_WAY && !this.pause && !this.isAbandoned) {
      const frame = this.takeFrame();
      if (frame.length === 0) return;
      void this.send(frame);
    }
  }

  /** Nothing more is sent. */
  abandon(): void {
    this.isAbandoned = true;
    clearTimeout(this.pause);
  }

  private takeFrame(): PendingLine[] {
    const frame = new Set<PendingLine>();
    const left: PendingLine[] = [];
    let bytes = 0;
    for (const line of this.waiting) {
      const isFull = frame.size === LINES_A_FRAME || bytes >= BYTES_A_FRAME;
      if (isFull || !line.mayLeaveWith(frame)) left.push(line);
      else {
        frame.add(line);
        bytes += line.bytes;
      }
    }
    this.waiting = left;
    return [...frame];
  }

  private async send(frame: PendingLine[]): Promise<void> {
    this.framesUnderWay += 1;
    const calls = frame.map(({ call }) => call!);
    const outcomes = await this.bus.callTogether(this.kind.contract, calls);
    this.framesUnderWay -= 1;
    if (outcomes.every(isTemporary)) this.rest();
    else {
      this.failing_since = undefined;
      this.pauses.reset();
    }
    const again = this.settle(frame, outcomes);
    if (again.length > 0) {
      if (!this.pause) this.rest();
      this.waiting = [...again, ...this.waiting].sort((one, other) => one.number - other.number);
    }
    this.onOutcome();
  }

  /** @returns the lines to try again, in their order */
  private settle(frame: PendingLine[], outcomes: Outcome<unknown>[]): PendingLine[] {
    const again: PendingLine[] = [];
    for (const [index, line] of frame.entries()) {
      const outcome = outcomes[index]!;
      if (isTemporary(outcome) && this.isWorthAnother(line, outcome)) again.push(line);
      else line.settle(outcome);
    }
    return again;
  }

  private isWorthAnother(line: PendingLine, { nothing_done }: Failure): boolean {
    const now = performance.now();
    line.failing_since ??= this.failing_since ?? now;
    if (now - line.failing_since > this.patience_ms) return false;
    return nothing_done || line.call!.isRecognised;
  }

  private rest(): void {
    if (this.isAbandoned) return;
    this.failing_since ??= performance.now();
    this.pause ??= setTimeout(() => {
      this.pause = undefined;
      this.go();
    }, this.pauses.take());
  }
}
