import type { CallContext, Failure, Reply } from '#contracts';

export interface PendingCall {
  context: CallContext;
  body: string;
  queued_at: number;
  expires_at: number;
  /** Calls of one company are next to each other and leave in one frame, with nobody else in it. */
  company?: symbol;
  /** In which it travels, once it has left. */
  frame?: Frame;
  settle: (outcome: Reply<unknown> | Failure) => void;
}

export interface ChannelLimits {
  /** Calls that may wait for a frame; more are refused at once. */
  calls_waiting: number;
  calls_a_frame: number;
  /** A frame takes no further call once its bodies have this many bytes; one call alone may be larger. */
  bytes_a_frame: number;
  frames_in_flight: number;
  /** A frame without a complete answer for this long stops holding back the others, its calls wait on. */
  slot_patience_ms: number;
}

/** Calls under way together. */
interface Frame {
  id: number;
  calls: PendingCall[];
  /** How many of them have no outcome yet. */
  open: number;
  patience: NodeJS.Timeout;
  holdsSlot: boolean;
}

let lastFrameId = 0;

/**
 * The calls of one subject on their way into frames. With nothing under way, a call leaves in the same turn of the
 * event loop; else calls gather and leave together. No timer adds latency.
 */
export class Channel {
  private waiting: PendingCall[] = [];
  // Few, and no Map: those whose entries come and go keep what is long gone from the garbage collector (decision 9).
  private readonly inFlight: Frame[] = [];
  private slotsTaken = 0;
  private scheduled = false;

  constructor(
    private readonly limits: ChannelLimits,
    private readonly send: (frameId: number, calls: PendingCall[]) => void,
  ) {}

  get isFull(): boolean {
    return this.waiting.length >= this.limits.calls_waiting;
  }

  push(...calls: PendingCall[]): void {
    this.waiting.push(...calls);
    this.schedule();
  }

  /** A call has its outcome, whatever it was; its frame frees its slot with the last of them. */
  settled(call: PendingCall): void {
    const { frame } = call;
    if (!frame) {
      const index = this.waiting.indexOf(call);
      if (index >= 0) this.waiting.splice(index, 1);
      return;
    }
    frame.open -= 1;
    if (frame.open === 0) {
      clearTimeout(frame.patience);
      this.inFlight.splice(this.inFlight.indexOf(frame), 1);
      this.freeSlot(frame);
    } else this.schedule();
  }

  /** The calls of a frame that is under way, each at its place; those among them that have their outcome, too. */
  callsOf(frameId: number): PendingCall[] | undefined {
    return this.inFlight.find(({ id }) => id === frameId)?.calls;
  }

  /** All that wait or are under way; those of a frame that have their outcome, too. */
  get calls(): PendingCall[] {
    return [...this.waiting, ...this.inFlight.flatMap(({ calls }) => calls)];
  }

  /**
   * Whether a frame may leave. One beside others waits until it is as large as what is under way: frames even out, where
   * the first call after each answer would leave alone.
   */
  private get isDue(): boolean {
    const { length } = this.waiting;
    if (length === 0 || this.slotsTaken >= this.limits.frames_in_flight) return false;
    const open = this.inFlight.reduce((sum, frame) => sum + frame.open, 0);
    return this.slotsTaken === 0 || length >= Math.min(open, this.limits.calls_a_frame);
  }

  private schedule(): void {
    if (this.scheduled || !this.isDue) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      while (this.isDue) this.sendFrame();
    });
  }

  private sendFrame(): void {
    const calls = this.waiting.splice(0, this.sizeOfNextFrame());
    const frame: Frame = {
      id: ++lastFrameId,
      calls,
      open: calls.length,
      patience: setTimeout(() => this.freeSlot(frame), this.limits.slot_patience_ms),
      holdsSlot: true,
    };
    this.slotsTaken += 1;
    this.inFlight.push(frame);
    for (const call of calls) call.frame = frame;
    this.send(frame.id, calls);
  }

  private sizeOfNextFrame(): number {
    const { company } = this.waiting[0]!;
    let bytes = 0;
    let count = 0;
    while (count < this.waiting.length && this.waiting[count]!.company === company) {
      // A character is at most three bytes of UTF-8: a bound that needs no counting.
      bytes += this.waiting[count]!.body.length * 3;
      const isFull = count === this.limits.calls_a_frame || (count > 0 && bytes > this.limits.bytes_a_frame);
      if (!company && isFull) break;
      count += 1;
    }
    return count;
  }

  private freeSlot(frame: Frame): void {
    if (!frame.holdsSlot) return;
    frame.holdsSlot = false;
    this.slotsTaken -= 1;
    this.schedule();
  }
}
