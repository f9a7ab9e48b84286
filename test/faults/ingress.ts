import { Agent, request } from 'node:http';
import { type Outcome } from './journal.js';

export interface HttpRequest {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

/** So long a caller waits. */
export const PATIENCE_MS = 20_000;
const PROBE_MS = 200;
const SOCKETS = 256;

/**
 * What stands before the gateways, as an ingress would: connections are kept alive; only gateways whose readiness
 * was good when last asked, each 200 ms, get requests; a request goes to another gateway when no connection
 * could be made or the connection was closed before a byte of the answer came. Nothing else is repeated here.
 */
export class Ingress {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: SOCKETS, scheduling: 'fifo' });
  private ready: string[] = [];
  private turn = 0;
  private timer?: NodeJS.Timeout;

  /** @param gateways those there are right now, with where each says that it is ready */
  constructor(private readonly gateways: () => { url: string; health_url: string }[]) {
    void this.probe();
  }

  /** Where the next request goes, and where to when it cannot. */
  next(): string[] {
    const all = this.ready.length > 0 ? this.ready : this.gateways().map(({ url }) => url);
    const first = this.turn++ % Math.max(1, all.length);
    return [...all.slice(first), ...all.slice(0, first)];
  }

  async send(what: HttpRequest): Promise<Outcome> {
    const all = this.next();
    let outcome: Outcome = { cut: 'no gateway', took_ms: 0 };
    for (const url of all) {
      outcome = await this.sendTo(url, what);
      if (!('cut' in outcome) || outcome.cut === 'silent' || outcome.cut === 'broken answer') break;
    }
    return outcome;
  }

  close(): void {
    clearTimeout(this.timer);
    this.agent.destroy();
  }

  private async probe(): Promise<void> {
    const gateways = this.gateways();
    const asked = gateways.map(({ health_url }) =>
      fetch(`${health_url}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(
        async (answer) => (await answer.arrayBuffer(), answer.ok),
        () => false,
      ),
    );
    const answers = await Promise.all(asked);
    this.ready = gateways.filter((_, index) => answers[index]).map(({ url }) => url);
    this.timer = setTimeout(() => void this.probe(), PROBE_MS);
  }

  private sendTo(url: string, { method, path, headers, body }: HttpRequest): Promise<Outcome> {
    const sent_at = performance.now();
    const took = (): number => Math.round(performance.now() - sent_at);
    return new Promise((resolve) => {
      const sending = request(new URL(path, url), {
        method,
        agent: this.agent,
        headers: {
          ...headers,
          ...(body !== undefined && { 'content-length': String(Buffer.byteLength(body)) }),
        },
      });
      const patience = setTimeout(() => {
        resolve({ cut: 'silent', took_ms: took() });
        sending.destroy();
      }, PATIENCE_MS);
      const settle = (outcome: Outcome): void => {
        clearTimeout(patience);
        resolve(outcome);
      };
      sending.once('error', (error: NodeJS.ErrnoException) =>
        settle({ cut: error.code ?? error.message, took_ms: took() }),
      );
      sending.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', () => settle({ cut: 'broken answer', took_ms: took() }));
        response.once('end', () =>
          settle({
            status: response.statusCode!,
            body: Buffer.concat(chunks).toString(),
            retry_after: response.headers['retry-after'] ?? null,
            took_ms: took(),
          }),
        );
      });
      sending.end(body);
    });
  }
}
