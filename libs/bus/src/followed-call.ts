import { Failure, type CallContext, type Outcome } from '#contracts';
import { beginSpan, endSpan, idsOf, SpanKind, traceparentOf } from '#tracing';

/** Takes a line of the log. */
export type SayLine = (line: Record<string, unknown>) => void;

/** A call that somebody watches on its way: with the context it travels in, and what is done at its end. */
export interface FollowedCall {
  context: CallContext;
  end: (outcome: Outcome<unknown>) => void;
}

/** A span for a call, and a line of the log. Undefined, and free, where neither is wanted. */
export function followCall(subject: string, context: CallContext, say?: SayLine): FollowedCall | undefined {
  const span = beginSpan(subject, () => ({
    kind: SpanKind.CLIENT,
    traceparent: context.traceparent,
    attributes: { ...aboutSubject(subject), 'flotilla.request_id': context.request_id },
  }));
  if (!span && !say) return undefined;
  const began = performance.now();
  const followed = span ? { ...context, traceparent: traceparentOf(span) } : context;
  return {
    context: followed,
    end: (outcome) => {
      endSpan(span, errorTypeOf(outcome));
      say?.(lineOf('called', subject, followed, outcome, performance.now() - began));
    },
  };
}

/** What the log says of a call that came to an end. */
export function lineOf(
  msg: 'called' | 'handled',
  subject: string,
  context: CallContext,
  outcome: Outcome<unknown>,
  took_ms: number,
): Record<string, unknown> {
  const word = outcome instanceof Failure ? outcome.code : 'ok';
  return { msg, ...idsOf(context), subject, outcome: word, took_ms: Math.round(took_ms * 10) / 10 };
}

/** What a span says of its subject, by OpenTelemetry's names for messaging. */
export function aboutSubject(subject: string): Record<string, string> {
  return { 'messaging.system': 'nats', 'messaging.destination.name': subject };
}

/** A refusal is an answer like others; what should not have happened is an error. */
export function errorTypeOf(outcome: Outcome<unknown>): string | undefined {
  const isError = outcome instanceof Failure && ['internal', 'unavailable'].includes(outcome.code);
  return isError ? outcome.code : undefined;
}
