import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { eventually } from '#testing';
import { type Answer, type HttpClient } from './http-client.js';

const NDJSON = 'application/x-ndjson';

export interface Verdict {
  line: number;
  status: number;
  id?: string;
  result?: string;
  replayed?: boolean;
  error?: { code: string; detail: string; errors?: { pointer: string; detail: string }[] };
}

export interface BulkAnswer extends Answer {
  /** Empty unless the answer is 200. */
  verdicts: Verdict[];
}

/** Sends lines in one bulk: strings as they are, anything else as JSON. */
export async function sendBulk(
  client: HttpClient,
  lines: unknown[],
  headers: Record<string, string> = {},
): Promise<BulkAnswer> {
  const answer = await client.post('/v1/bulk', ndjson(lines), { 'content-type': NDJSON, ...headers });
  return { ...answer, verdicts: answer.status === 200 ? verdictsIn(answer.body as string) : [] };
}

export function ndjson(lines: unknown[]): string {
  return lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
}

/** All whole lines of a text, parsed. */
function verdictsIn(text: string): Verdict[] {
  const lines = text.split('\n');
  lines.pop();
  return lines.map((line) => JSON.parse(line) as Verdict);
}

/** A bulk that is under way: the test decides when to send, when to read, and when to hang up. */
export class OpenBulk {
  private readonly request;
  private readonly response: Promise<IncomingMessage>;
  private text = '';
  /** How many verdicts have come. */
  answered = 0;
  /** Resolves with what went wrong, or with nothing, when no further verdict can come. */
  readonly over: Promise<Error | undefined>;

  constructor({ url, key }: HttpClient, { reading = true } = {}) {
    this.request = request(`${url}/v1/bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key!}`, 'content-type': NDJSON },
      agent: false,
    });
    this.response = once(this.request, 'response').then(([response]) => response as IncomingMessage);
    this.over = this.response
      .then(async (response) => {
        response.setEncoding('utf8').on('data', (chunk: string) => {
          this.text += chunk;
          for (let at = chunk.indexOf('\n'); at >= 0; at = chunk.indexOf('\n', at + 1)) this.answered += 1;
        });
        if (!reading) response.pause();
        await once(response, 'end');
        return undefined;
      })
      .catch((error: unknown) => error as Error);
    this.request.on('error', () => undefined);
  }

  get status(): Promise<number> {
    return this.response.then(({ statusCode }) => statusCode!);
  }

  get headers(): Promise<IncomingMessage['headers']> {
    return this.response.then(({ headers }) => headers);
  }

  /** As far as they have come. */
  get verdicts(): Verdict[] {
    return verdictsIn(this.text);
  }

  /** Lines, or a text as it is. */
  send(lines: unknown[] | string): this {
    this.request.write(typeof lines === 'string' ? lines : ndjson(lines));
    return this;
  }

  /** Lines of any length together, no faster than they are taken. */
  async feed(parts: Iterable<string>): Promise<void> {
    for (const part of parts) if (!this.request.write(part)) await once(this.request, 'drain');
  }

  /** Resolves with this many verdicts. @throws what ended the answer before */
  async reaches(verdicts: number, patience_ms: number): Promise<void> {
    const cut = this.over.then((error) => {
      if (this.answered < verdicts) throw error ?? new Error(`Only ${this.answered} of ${verdicts} verdicts`);
    });
    await Promise.race([cut, eventually(() => this.answered >= verdicts, patience_ms)]);
  }

  async end(): Promise<Verdict[]> {
    this.request.end();
    const failure = await this.over;
    if (failure) throw failure;
    return this.verdicts;
  }

  read(): void {
    void this.response.then((response) => response.resume());
  }

  hangUp(): void {
    this.request.destroy();
  }
}
