import { SpanKind } from '@opentelemetry/api';
import {
  InMemorySpanExporter,
  ParentBasedSampler,
  SamplingDecision,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';
import { randomBytes } from 'node:crypto';
import { eventually } from '#testing';
import { traceWith } from '#tracing';
import { anEvent } from './builders.js';
import { startSystem, type System } from './system.js';

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

describe('a trace', () => {
  const exporter = new InMemorySpanExporter();
  let system: System;
  beforeAll(async () => {
    traceWith(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    system = await startSystem();
  });
  afterAll(async () => {
    await system.stop();
    traceWith(undefined);
  });

  /** The spans of the request with this id, once it has come to its end. */
  const traceOf = async (request_id: string): Promise<ReadableSpan[]> => {
    let root: ReadableSpan | undefined;
    await eventually(() => {
      root = exporter
        .getFinishedSpans()
        .find(
          ({ kind, attributes }) =>
            kind === SpanKind.SERVER && attributes['flotilla.request_id'] === request_id,
        );
      return root !== undefined;
    });
    const { traceId } = root!.spanContext();
    return exporter.getFinishedSpans().filter((span) => span.spanContext().traceId === traceId);
  };
  /** Names from a span up to where its trace begins. */
  const wayUp = (span: ReadableSpan, spans: ReadableSpan[]): string[] => {
    const parent = spans.find((one) => one.spanContext().spanId === span.parentSpanContext?.spanId);
    return [span.name, ...(parent ? wayUp(parent, spans) : [])];
  };
  const record = (request_id: string, headers: Record<string, string> = {}) =>
    system.admin.post('/v1/events', anEvent(), { 'x-request-id': request_id, ...headers });

  it('goes from HTTP through the bus and the service to its transaction', async () => {
    const answer = await record('whole', { 'idempotency-key': 'once' });
    expect(answer.status).toBe(201);
    const spans = await traceOf('whole');
    const transaction = spans.find(({ name }) => name === 'transaction')!;
    expect(wayUp(transaction, spans)).toEqual([
      'transaction',
      'activity-events.record',
      'activity-events.record',
      'POST /v1/events',
    ]);
    const kinds = spans
      .filter(({ name }) => name === 'activity-events.record')
      .map(({ kind }) => kind)
      .sort();
    expect(kinds).toEqual([SpanKind.SERVER, SpanKind.CLIENT]);
    expect(transaction.attributes).toMatchObject({
      'db.system.name': 'postgresql',
      'db.namespace': 'activity_events',
    });
    const root = spans.find(({ name }) => name === 'POST /v1/events')!;
    expect(root.attributes).toMatchObject({ 'http.route': '/v1/events', 'http.response.status_code': 201 });
  });

  it('goes on where the client began it', async () => {
    const [trace_id, span_id] = [hex(16), hex(8)];
    await record('continued', { traceparent: `00-${trace_id}-${span_id}-01` });
    const spans = await traceOf('continued');
    expect(spans[0]!.spanContext().traceId).toBe(trace_id);
    const root = spans.find(({ name }) => name === 'POST /v1/events')!;
    expect(root.parentSpanContext).toMatchObject({ spanId: span_id, isRemote: true });
  });

  it('is kept of nobody who says so, and begins anew where the client’s is none', async () => {
    const unwanted = hex(16);
    await record('unwanted', { traceparent: `00-${unwanted}-${hex(8)}-00` });
    const invalid = ['nonsense', `00-${'0'.repeat(32)}-${hex(8)}-01`, `ff-${hex(16)}-${hex(8)}-01`];
    for (const [index, traceparent] of invalid.entries()) {
      await record(`anew-${index}`, { traceparent });
      const spans = await traceOf(`anew-${index}`);
      expect(spans.find(({ name }) => name === 'POST /v1/events')!.parentSpanContext).toBeUndefined();
    }
    const all = exporter.getFinishedSpans().map((span) => span.spanContext().traceId);
    expect(all).not.toContain(unwanted);
  });

  it('of each call of a frame leads to the frame: as its part, or by a link', async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `together-${index}`);
    const known = exporter.getFinishedSpans().length;
    await Promise.all(ids.map((id) => record(id)));
    await Promise.all(ids.map(traceOf));
    const named = exporter
      .getFinishedSpans()
      .slice(known)
      .filter(({ name }) => name === 'activity-events.record');
    const calls = named.filter(({ kind }) => kind === SpanKind.CLIENT);
    const frames = named.filter(({ kind }) => kind === SpanKind.SERVER);
    const reached = frames.flatMap(({ parentSpanContext, links }) => [
      parentSpanContext!.spanId,
      ...links.map(({ context }) => context.spanId),
    ]);
    expect(calls).toHaveLength(ids.length);
    expect(frames.length).toBeLessThan(calls.length);
    expect(reached.sort()).toEqual(calls.map((call) => call.spanContext().spanId).sort());
  });

  it('says what went wrong, and holds no key, no body and no address of a device', async () => {
    const secret = 'a-device-of-ours';
    await system.admin.get(`/v1/devices/${secret}/state`, { 'x-request-id': 'private' });
    await traceOf('private');
    await system.admin.as('flt_wrong').get('/v1/events', { 'x-request-id': 'refused' });
    const refused = (await traceOf('refused'))[0]!;
    expect(refused.attributes['http.response.status_code']).toBe(401);
    await system.activityEvents.stop();
    await record('unanswered');
    const failed = (await traceOf('unanswered')).map(({ name, attributes }) => [
      name,
      attributes['error.type'],
    ]);
    expect(failed).toEqual(
      expect.arrayContaining([
        ['activity-events.record', 'unavailable'],
        ['POST /v1/events', '503'],
      ]),
    );
    const text = JSON.stringify(
      exporter.getFinishedSpans().map(({ name, attributes }) => [name, attributes]),
    );
    for (const hidden of [secret, system.admin.key!, 'flt_wrong', anEvent().email])
      expect(text).not.toContain(hidden);
  });

  it('is made of what somebody asked for: no look for news each second', () => {
    const lonely = exporter.getFinishedSpans().filter(({ parentSpanContext }) => !parentSpanContext);
    expect(lonely.filter(({ kind }) => kind !== SpanKind.SERVER)).toEqual([]);
  });
});

describe('a trace that is dropped', () => {
  const exporter = new InMemorySpanExporter();
  /** What somebody had to decide about. */
  const asked: string[] = [];
  let system: System;
  beforeAll(async () => {
    const root = {
      shouldSample: (_context: unknown, _trace_id: string, name: string) => {
        asked.push(name);
        return { decision: SamplingDecision.NOT_RECORD };
      },
    };
    traceWith(
      new TracerProvider({
        sampler: new ParentBasedSampler({ root }),
        spanProcessors: [new SimpleSpanProcessor({ exporter })],
      }),
    );
    system = await startSystem();
  });
  afterAll(async () => {
    await system.stop();
    traceWith(undefined);
  });

  it('is asked about once, and is one on its whole way', async () => {
    asked.length = 0;
    const { status } = await system.admin.post('/v1/events', anEvent(), { 'idempotency-key': 'once' });
    expect(status).toBe(201);
    expect(asked).toEqual(['POST /v1/events']);
    await system.admin.get('/v1/events', { traceparent: `00-${hex(16)}-${hex(8)}-00` });
    expect(asked).toEqual(['POST /v1/events']);
    expect(exporter.getFinishedSpans()).toEqual([]);
  });
});
