import { get, type IncomingMessage } from 'node:http';

const ENTRY = /^data: \{"kind":"event","id":"([^"]+)".*?"created_at":"([^"]+)"/;
/** What has not come this long after the last answer is missing. */
const PATIENCE_MS = 10_000;

/** One open stream of events, and how long after their `created_at` they came: the machine has one clock. */
export class StreamLag {
  readonly lags_ms: number[] = [];
  /** How often each has come, by its id. */
  private readonly times = new Map<string, number>();
  private text = '';

  private constructor(private readonly response: IncomingMessage) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.receive(chunk));
    response.on('error', () => undefined);
  }

  static async open(url: string, key: string): Promise<StreamLag> {
    const headers = { authorization: `Bearer ${key}` };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(new URL('/v1/stream?kinds=event', url), { headers, agent: false }, resolve).once('error', reject);
    });
    if (response.statusCode !== 200) throw new Error(`No stream: ${String(response.statusCode)}`);
    return new StreamLag(response);
  }

  /** Resolves when so many different ones have come, or no more come in time. */
  async reach(count: number): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (this.times.size < count && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** How many of these have not come, or more than once. */
  missingOrTwice(ids: string[]): number {
    return ids.filter((id) => this.times.get(id) !== 1).length;
  }

  close(): void {
    this.response.destroy();
  }

  private receive(chunk: string): void {
    const now = Date.now();
    const lines = (this.text + chunk).split('\n');
    this.text = lines.pop()!;
    for (const line of lines) {
      const [, id, created_at] = ENTRY.exec(line) ?? [];
      if (!id) continue;
      this.times.set(id, (this.times.get(id) ?? 0) + 1);
      this.lags_ms.push(now - Date.parse(created_at!));
    }
  }
}
