import { FairQueue, type QueueLimits } from './fair-queue.js';
import { type Frame, type PendingCall } from './pending-call.js';

export interface ChannelLimits extends QueueLimits {
  frames_in_flight: number;
  /** A frame without a complete answer for this long stops holding back the others, its calls wait on. */
  slot_patience_ms: number;
}

let lastFrameId = 0;

/**
 * The calls of one subject on their way into frames. With nothing under way, a call leaves in the same turn of the
 * event loop; else calls gather and leave together. No timer adds latency.
 */
export class Channel {
  readonly waiting: FairQueue;
  // Few, and no Map: those whose entries come and go keep what is long gone from the garbage collector (decision 9).
  private readonly inFlight: Frame[] = [];
  private slotsTaken = 0;
  private scheduled = false;

  constructor(
    private readonly limits: ChannelLimits,
    private readonly send: (frameId: number, calls: PendingCall[]) => void,
  ) {
    this.waiting = new FairQueue(limits);
  }

  push(...calls: PendingCall[]): void {
    for (const call of calls) this.waiting.push(call);
    // A turn of the event loop does not end while requests come in faster than they are read.
    while (this.isDue && this.waiting.fillsFrame) this.sendFrame();
    this.schedule();
  }

  /** A call has its outcome, whatever it was; its frame frees its slot with the last of them. */
  settled(call: PendingCall): void {
    const { frame } = call;
    if (!frame) {
      this.waiting.remove(call);
      return;
    }
    frame.open -= 1;
    if (frame.open === 0) {
      clearTimeout(frame.patience);
      this.inFlight.splice(this.inFlight.indexOf(frame), 1);
      this.freeSlot(frame);
    }
    this.schedule();
  }

  /** The calls of a frame that is under way, each at its place; those among them that have their outcome, too. */
  callsOf(frameId: number): PendingCall[] | undefined {
    return this.inFlight.find(({ id }) => id === frameId)?.calls;
  }

  /** All that wait or are under way; those of a frame that have their outcome, too. */
  get calls(): PendingCall[] {
    return [...this.waiting.calls, ...this.inFlight.flatMap(({ calls }) => calls)];
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
    const calls = this.waiting.takeFrame();
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

  private freeSlot(frame: Frame): void {
    if (!frame.holdsSlot) return;
    frame.holdsSlot = false;
    this.slotsTaken -= 1;
    this.schedule();
  }
}
