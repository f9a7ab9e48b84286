import type { CallContext, Outcome } from '#contracts';

/** A call without an outcome yet. */
export interface PendingCall {
  context: CallContext;
  body: string;
  queued_at: number;
  expires_at: number;
  /** Calls of one company are next to each other and leave in one frame, with nobody else in it. */
  company?: symbol;
  /** In which it travels, once it has left. */
  frame?: Frame;
  settle: (outcome: Outcome<unknown>) => void;
}

/** Calls under way together. */
export interface Frame {
  id: number;
  calls: PendingCall[];
  /** How many of them have no outcome yet. */
  open: number;
  patience: NodeJS.Timeout;
  holdsSlot: boolean;
}
