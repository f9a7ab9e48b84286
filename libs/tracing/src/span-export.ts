import type { TracerProvider } from '@opentelemetry/sdk-trace';
import { traceWith } from './spans.js';

/** With a collector that is away, the end of a process waits no longer. */
const TIMEOUT_MS = 2_000;

export interface SpanExportOptions {
  /** The app, as `service.name`. */
  name: string;
  /** Base URL of a collector that takes OTLP over HTTP; without one nothing is traced, and no SDK loaded. */
  endpoint?: string;
  /** Of a hundred traces that begin here, so many are kept; of those that began elsewhere, what was decided there. */
  percent: number;
}

/** Brings the spans of this process to a collector, in batches; those it cannot bring are dropped. */
export class SpanExport {
  private constructor(private readonly provider?: TracerProvider) {}

  static async open({ name, endpoint, percent }: SpanExportOptions): Promise<SpanExport> {
    if (endpoint === undefined) return new SpanExport();
    const [{ OTLPTraceExporter }, { resourceFromAttributes }, sdk] = await Promise.all([
      import('@opentelemetry/exporter-trace-otlp-http'),
      import('@opentelemetry/resources'),
      import('@opentelemetry/sdk-trace'),
    ]);
    const url = `${endpoint.replace(/\/$/, '')}/v1/traces`;
    const exporter = new OTLPTraceExporter({ url, timeoutMillis: TIMEOUT_MS });
    const provider = new sdk.TracerProvider({
      resource: resourceFromAttributes({ 'service.name': name }),
      sampler: new sdk.ParentBasedSampler({ root: new sdk.TraceIdRatioBasedSampler(percent / 100) }),
      spanProcessors: [new sdk.BatchSpanProcessor({ exporter, exportTimeoutMillis: TIMEOUT_MS })],
    });
    traceWith(provider);
    return new SpanExport(provider);
  }

  /** Called by Nest, last. */
  async onApplicationShutdown(): Promise<void> {
    if (!this.provider) return;
    traceWith(undefined);
    // What a collector does not take is no reason to stop badly.
    await this.provider.shutdown().catch(() => undefined);
  }
}
