import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Attributes,
  type Span,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { spanContextOf } from './traceparent.js';

export { SpanKind, type Span } from '@opentelemetry/api';

export interface SpanStart {
  kind: SpanKind;
  attributes: Attributes;
  /** The span that this one is a part of, where the work under way has none of its own. */
  traceparent?: string;
  /** Spans that this one works for, beside the one it is a part of. */
  links?: (string | undefined)[];
}

/** Nothing is traced until there is one. */
let tracer: Tracer | undefined;
const current = new AsyncLocalStorage<Span>();

/** Spans go to this provider from now on; to none, and cost nothing, without one. */
export function traceWith(provider: TracerProvider | undefined): void {
  tracer = provider?.getTracer('flotilla');
}

/** Whether spans go anywhere. */
export function isTracing(): boolean {
  return tracer !== undefined;
}

/**
 * Begins a span; none where nothing is traced, and none in a trace that is known to be dropped: so each of those costs no
 * more than the question whether to keep it. Whoever begins it ends it.
 */
export function beginSpan(name: string, start: () => SpanStart): Span | undefined {
  if (!tracer) return undefined;
  const { kind, attributes, traceparent, links = [] } = start();
  const parent = current.getStore()?.spanContext() ?? spanContextOf(traceparent);
  if (parent && !(parent.traceFlags & TraceFlags.SAMPLED)) return undefined;
  return tracer.startSpan(
    name,
    {
      kind,
      attributes,
      links: links.flatMap((link) => spanContextOf(link) ?? []).map((context) => ({ context })),
    },
    parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT,
  );
}

/** @param error_type what went wrong, in a word of a short list; undefined when nothing did */
export function endSpan(span: Span | undefined, error_type?: string): void {
  if (error_type !== undefined) {
    span?.setAttribute('error.type', error_type).setStatus({ code: SpanStatusCode.ERROR });
  }
  span?.end();
}

/** Runs work as a part of the span; of none, when the span is the first of a trace that is dropped. */
export function inSpan<T>(span: Span | undefined, work: () => T): T {
  return span?.isRecording() ? current.run(span, work) : work();
}

/**
 * Runs work in a span of its own, which ends with it. Only as a part of another: what nobody asked for, such as a
 * look for news each second, would fill a store of traces with itself.
 */
export function traced<T>(
  name: string,
  start: () => SpanStart,
  errorTypeOf: (error: unknown) => string,
  work: () => Promise<T>,
): Promise<T> {
  const span = tracer && current.getStore() && beginSpan(name, start);
  if (!span) return work();
  return inSpan(span, work).then(
    (result) => {
      endSpan(span);
      return result;
    },
    (error: unknown) => {
      endSpan(span, errorTypeOf(error));
      throw error;
    },
  );
}
