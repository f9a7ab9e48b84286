import {
  Failure,
  type CallContext,
  type Caller,
  type FailureCode,
  type FailureDetails,
  type ReplyMarks,
} from '#contracts';

/**
 * Head of a call: its place in the frame, the milliseconds it may still take, and its context. A caller that
 * an earlier call of the frame has is written as the place of that call: many calls of a frame share one.
 */
export type CallHead = [
  place: number,
  budget_ms: number,
  caller: Caller | number,
  context: Omit<CallContext, 'caller'>,
];

/**
 * The heads of a frame's calls, in their order.
 * @param now on the clock of `expires_at`, in ms
 */
export function callHeads(calls: { expires_at: number; context: CallContext }[], now: number): CallHead[] {
  const places = new Map<Caller, number>();
  return calls.map(({ expires_at, context: { caller, ...context } }, place) => {
    const known = places.get(caller);
    if (known === undefined) places.set(caller, place);
    return [place, Math.round(expires_at - now), known ?? caller, context];
  });
}

/** The contexts of a frame's calls, in their order. */
export function contextsOf(heads: CallHead[]): CallContext[] {
  return heads.map(([, , caller, context]) => ({
    ...context,
    caller: typeof caller === 'number' ? (heads[caller]![2] as Caller) : caller,
  }));
}

/** Head of an outcome: the place of the call it answers, and either the marks of its reply or its failure. */
export type OutcomeHead = [place: number, marks: ReplyMarks | null, failure?: FailureOnWire];

type FailureOnWire = Omit<FailureDetails, 'cause'> & { code: FailureCode; detail: string };

/**
 * The token before a frame's id in the subject of its answers, by callers who read a frame that has a body of several parts
 * once. While versions change, some are there who do not.
 */
export const READS_ONCE = 'once';

/** Room for a page of rows with its frame, and the most that NATS advises for one message. */
export const MAX_PAYLOAD_BYTES = 8 * 1024 * 1024;

/** Where a service says that it is there. */
export function pingSubject(service: string): string {
  return `${service}.ping`;
}

/** `cause` stays behind: what an operator needs goes to the log of the service that failed. */
export function failureToWire(failure: Failure): FailureOnWire {
  return {
    code: failure.code,
    detail: failure.message,
    errors: failure.errors,
    members: failure.members,
    retry_after_s: failure.retry_after_s,
    nothing_done: failure.nothing_done,
  };
}

/** What `failureToWire` wrote, as the service threw it, but for its cause. */
export function failureFromWire({ code, detail, ...details }: FailureOnWire): Failure {
  return new Failure(code, detail, details);
}
