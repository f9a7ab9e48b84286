import { connect, type Socket } from 'node:net';
import { add, failureOf, NO_ANSWER, type Failures } from './failures.js';
import { type Answers, type LoadPlan, type LoadRequest } from './load.js';

/** Of a request for its answer, and of the load for what is left of it when the last request was due. */
const PATIENCE_MS = 10_000;

/**
 * Requests leave evenly at the plan's rate, whether or not earlier ones are answered; a latency counts from the
 * moment its request was due, waiting for a connection included. autocannon's own rate sends each second's
 * requests in one burst, which is another question.
 */
export async function paced(plan: LoadPlan, seconds: number): Promise<Answers> {
  const requests = plan.requests.map((request) => bytesOf(request, plan.url));
  const lines = await Promise.all(Array.from({ length: plan.connections }, () => Line.open(plan.url)));
  const idle = [...lines];
  const interval_ms = 1_000 / plan.rate!;
  const total = Math.round(seconds * plan.rate!);
  const started = performance.now();
  const latencies_ms: number[] = [];
  const failures: Failures = {};
  let sent = 0;
  let ended = 0;
  let open = lines.length;

  const sendDue = (): void => {
    while (sent < total && idle.length > 0 && performance.now() >= started + sent * interval_ms) {
      const line = idle.pop()!;
      const due = started + sent * interval_ms;
      line.ask(requests[sent++ % requests.length]!, (failure) => {
        ended += 1;
        if (failure === undefined) latencies_ms.push(performance.now() - due);
        else add(failures, failure);
        if (failure === NO_ANSWER) open -= 1;
        else idle.push(line);
        sendDue();
      });
    }
  };
  while (ended < total && open > 0) {
    sendDue();
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (performance.now() > started + seconds * 1_000 + PATIENCE_MS) break;
  }
  const took_s = (performance.now() - started) / 1_000;
  for (const line of lines) if (line.hasWaited(PATIENCE_MS)) add(failures, NO_ANSWER);
  for (const line of idle) line.close();
  return { seconds: took_s, latencies_ms, failed: total - latencies_ms.length, failures };
}

/** A connection that asks one thing at a time; as little of HTTP as that takes, to leave the processor to others. */
class Line {
  private received: Buffer = Buffer.alloc(0);
  private answered?: (failure?: string) => void;
  private asked_at = 0;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => this.receive(chunk));
    socket.on('close', () => this.finish(NO_ANSWER));
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

  /** `answered` gets what came instead of 2xx. */
  ask(request: Buffer, answered: (failure?: string) => void): void {
    this.answered = answered;
    this.asked_at = performance.now();
    this.socket.write(request);
  }

  /** For an answer. */
  hasWaited(length_ms: number): boolean {
    return this.answered !== undefined && performance.now() - this.asked_at >= length_ms;
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
    const status = Number(head.slice(9, 12));
    const isWell = status >= 200 && status < 300;
    this.finish(isWell ? undefined : failureOf(status, /\r\nretry-after:/i.test(head)));
  }

  private finish(failure?: string): void {
    const answered = this.answered;
    this.answered = undefined;
    answered?.(failure);
  }
}

function bytesOf({ method, path, headers, body = '' }: LoadRequest, url: string): Buffer {
  const all = { host: new URL(url).host, ...headers, 'content-length': Buffer.byteLength(body) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`);
}
