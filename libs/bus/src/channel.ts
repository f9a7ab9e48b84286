import type { CallContext, Failure, Reply } from '#contracts';

export interface PendingCall {
  id: number;
  context: CallContext;
  body: string;
  queued_at: number;
  expires_at: number;
  /** Calls of one company are next to each other and leave in one frame, with nobody else in it. */
  company?: symbol;
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

interface Frame {
  calls: Set<PendingCall>;
  patience: NodeJS.Timeout;
}

let lastFrameId = 0;

/**
 * The calls of one subject on their way into frames. With nothing under way, a call leaves in the same turn of the
 * event loop; else calls gather and leave together. No timer adds latency.
 */
export class Channel {
  private waiting: PendingCall[] = [];
  private readonly inFlight = new Map<number, Frame>();
  private readonly frameOf = new Map<PendingCall, number>();
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
    const frameId = this.frameOf.get(call);
    if (frameId === undefined) {
      const index = this.waiting.indexOf(call);
      if (index >= 0) this.waiting.splice(index, 1);
      return;
    }
    this.frameOf.delete(call);
    const frame = this.inFlight.get(frameId);
    if (frame?.calls.delete(call) && frame.calls.size === 0) {
      clearTimeout(frame.patience);
      this.inFlight.delete(frameId);
      this.freeSlot(frame);
    } else this.schedule();
  }

  callsOf(frameId: number): PendingCall[] {
    return [...(this.inFlight.get(frameId)?.calls ?? [])];
  }

  /**
   * Whether a frame may leave. One beside others waits until it is as large as what is under way: frames even out, where
   * the first call after each answer would leave alone.
   */
  private get isDue(): boolean {
    const { length } = this.waiting;
    if (length === 0 || this.slotsTaken >= this.limits.frames_in_flight) return false;
    return this.slotsTaken === 0 || length >= Math.min(this.frameOf.size, this.limits.calls_a_frame);
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
    const frameId = ++lastFrameId;
    const frame: Frame = {
      calls: new Set(calls),
      patience: setTimeout(() => this.freeSlot(frame), this.limits.slot_patience_ms),
    };
    this.slotsTaken += 1;
    this.inFlight.set(frameId, frame);
    for (const call of calls) this.frameOf.set(call, frameId);
    this.send(frameId, calls);
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

  private readonly freed = new WeakSet<Frame>();

  private freeSlot(frame: Frame): void {
    if (this.freed.has(frame)) return;
    this.freed.add(frame);
    this.slotsTaken -= 1;
    this.schedule();
  }
}
