import { connect, type Socket } from 'node:net';
import { type Answers, type LoadPlan, type LoadRequest } from './load.js';

/** What is not answered this long after the last request was due has failed. */
const PATIENCE_MS = 10_000;

/**
 * Requests leave evenly at the plan's rate, whether or not earlier ones are answered; a latency counts from the
 * moment its request was due, waiting for a connection included. autocannon's own rate sends each second's
 * requests in one burst, which is another question.
 */
export async function paced(plan: LoadPlan, seconds: number): Promise<Answers> {
  const requests = plan.requests.map((request) => bytesOf(request, plan.url));
  const idle = await Promise.all(Array.from({ length: plan.connections }, () => Line.open(plan.url)));
  const interval_ms = 1_000 / plan.rate!;
  const total = Math.round(seconds * plan.rate!);
  const started = performance.now();
  const latencies_ms: number[] = [];
  let sent = 0;
  let broken = 0;

  const sendDue = (): void => {
    while (sent < total && idle.length > 0 && performance.now() >= started + sent * interval_ms) {
      const line = idle.pop()!;
      const due = started + sent * interval_ms;
      line.ask(requests[sent++ % requests.length]!, (status) => {
        if (status >= 200 && status < 300) latencies_ms.push(performance.now() - due);
        else broken += 1;
        if (status > 0) idle.push(line);
        sendDue();
      });
    }
  };
  while (latencies_ms.length + broken < total) {
    sendDue();
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (performance.now() > started + seconds * 1_000 + PATIENCE_MS) break;
  }
  const took_s = (performance.now() - started) / 1_000;
  for (const line of idle) line.close();
  return { seconds: took_s, latencies_ms, failed: total - latencies_ms.length };
}

/** A connection that asks one thing at a time; as little of HTTP as that takes, to leave the processor to others. */
class Line {
  private received: Buffer = Buffer.alloc(0);
  private answered?: (status: number) => void;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('close', () => this.finish(0));
    socket.on('error', () => undefined);
  }

  static open(url: string): Promise<Line> {
    const { hostname, port } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname);
      socket.setNoDelay(true);
      socket.once('connect', () => resolve(new Line(socket)));
      socket.once('error', reject);
    });
  }

  /** `answered` gets the status of the answer; 0 when the connection broke. */
  ask(request: Buffer, answered: (status: number) => void): void {
    this.answered = answered;
    this.socket.write(request);
  }

  close(): void {
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
    const headEnd = this.received.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.received.toString('latin1', 0, headEnd);
    const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
    if (length === undefined) throw new Error(`An answer without Content-Length:\n${head}`);
    if (this.received.length < headEnd + 4 + Number(length)) return;
    this.received = Buffer.alloc(0);
    this.finish(Number(head.slice(9, 12)));
  }

  private finish(status: number): void {
    const answered = this.answered;
    this.answered = undefined;
    answered?.(status);
  }
}

function bytesOf({ method, path, headers, body = '' }: LoadRequest, url: string): Buffer {
  const all = { host: new URL(url).host, ...headers, 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
