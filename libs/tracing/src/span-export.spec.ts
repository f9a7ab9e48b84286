import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { SpanExport } from './span-export.js';
import { beginSpan, endSpan, isTracing, SpanKind } from './spans.js';

describe('the export of spans', () => {
  let collector: Server;
  let endpoint: string;
  let status: number;
  const received: string[] = [];
  beforeEach(async () => {
    status = 200;
    received.length = 0;
    collector = createServer((request, response) => {
      request.on('data', (chunk: Buffer) => received.push(chunk.toString()));
      request.on('end', () => response.writeHead(status).end('{}'));
    });
    await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  });
  afterEach(() => {
    collector.closeAllConnections();
    collector.close();
  });

  const spanOf = (traceparent?: string): void =>
    endSpan(beginSpan('a span', () => ({ kind: SpanKind.INTERNAL, attributes: {}, traceparent })));

  it('makes no span without a collector', async () => {
    const spans = await SpanExport.open({ name: 'app', percent: 100 });
    expect(isTracing()).toBe(false);
    expect(
      beginSpan('a span', () => {
        throw new Error('nobody asks what it is');
      }),
    ).toBeUndefined();
    await spans.onApplicationShutdown();
  });

  it('sends what is left before the process ends', async () => {
    const spans = await SpanExport.open({ name: 'app', endpoint: `${endpoint}/`, percent: 100 });
    spanOf();
    await spans.onApplicationShutdown();
    expect(received.join('')).toContain('"a span"');
    expect(isTracing()).toBe(false);
  });

  it('keeps of those that begin here what it is told, and of the others what was decided before', async () => {
    const spans = await SpanExport.open({ name: 'app', endpoint, percent: 0 });
    spanOf();
    spanOf('00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00');
    spanOf('00-5bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01');
    await spans.onApplicationShutdown();
    const traces = [...received.join('').matchAll(/"traceId":"(\w+)"/g)].map(([, id]) => id);
    expect(traces).toEqual(['5bf92f3577b34da6a3ce929d0e0e4736']);
  });

  it.each(['refuses', 'is away'])('lets the process end when the collector %s', async (how) => {
    status = 503;
    if (how === 'is away') collector.close();
    const spans = await SpanExport.open({ name: 'app', endpoint, percent: 100 });
    spanOf();
    await spans.onApplicationShutdown();
    expect(isTracing()).toBe(false);
  });
});
