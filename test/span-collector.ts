import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo } from 'node:net';

export interface CollectedSpan {
  /** The app that made it. */
  service: string;
  name: string;
  traceId: string;
}

export interface SpanCollector {
  url: string;
  spans: CollectedSpan[];
  close(): void;
}

/** Takes what apps send to an OpenTelemetry collector (OTLP over HTTP, as JSON). */
export async function spanCollector(): Promise<SpanCollector> {
  const spans: CollectedSpan[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      if (request.url === '/v1/traces') spans.push(...spansOf(JSON.parse(body)));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${port}`, spans, close };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function spansOf({ resourceSpans }: any): CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }: any) => {
    const name = resource.attributes.find(({ key }: any) => key === 'service.name');
    return scopeSpans.flatMap(({ spans }: any) =>
      spans.map((span: any) => ({
        service: name.value.stringValue as string,
        name: span.name,
        traceId: span.traceId,
      })),
    );
  });
}
