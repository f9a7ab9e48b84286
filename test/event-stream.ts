import { get, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { type AnyEntry } from '#contracts';
import { type HttpClient } from './http-client.js';

export interface SentEvent {
  id: string;
  event: string;
  data: any;
}

/** A client of `text/event-stream` as the HTML standard describes it, except that it comes back only when told to. */
export class EventStream {
  readonly events: SentEvent[] = [];
  readonly comments: string[] = [];
  retry_ms?: number;
  /** Behind which it began. */
  first_id?: string;
  /** Every id that it was told, with an event or without. */
  readonly told: string[] = [];
  /** Resolves when the stream has ended, or was cut. */
  readonly ended: Promise<void>;
  private text = '';

  private constructor(
    private readonly response: IncomingMessage,
    public last_id: string,
    private readonly onEvent: (event: SentEvent) => void,
  ) {
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => this.receive(chunk));
    response.on('error', () => undefined);
    this.ended = new Promise((resolve) => response.once('close', resolve));
  }

  /** Resolves when the stream is open. Throws with the answer when it is refused. */
  static async open(
    client: HttpClient,
    path = '/v1/stream',
    last_id = '',
    onEvent: (event: SentEvent) => void = () => undefined,
  ): Promise<EventStream> {
    const headers = {
      authorization: `Bearer ${client.key!}`,
      accept: 'text/event-stream',
      ...(last_id && { 'last-event-id': last_id }),
    };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get(new URL(path, client.url), { headers, agent: false }, resolve).once('error', reject);
    });
    if (response.statusCode !== 200) {
      let body = '';
      for await (const chunk of response.setEncoding('utf8')) body += chunk as string;
      throw new Refusal(response.statusCode!, response.headers, JSON.parse(body));
    }
    return new EventStream(response, last_id, onEvent);
  }

  get status(): number {
    return this.response.statusCode!;
  }

  get headers(): IncomingHttpHeaders {
    return this.response.headers;
  }

  /** Whether the connection broke before the stream had ended. */
  get wasCut(): boolean {
    return !this.response.complete;
  }

  /** What happened, without what the stream says of itself. */
  get entries(): AnyEntry[] {
    return this.events.filter(({ event }) => event !== 'problem').map(({ data }) => data as AnyEntry);
  }

  get ids(): string[] {
    return this.entries.map(({ id }) => id);
  }

  pause(): void {
    this.response.pause();
  }

  resume(): void {
    this.response.resume();
  }

  async close(): Promise<void> {
    this.response.destroy();
    await this.ended;
  }

  private receive(chunk: string): void {
    const blocks = (this.text + chunk).split('\n\n');
    this.text = blocks.pop()!;
    for (const block of blocks) this.dispatch(block.split('\n'));
  }

  private dispatch(lines: string[]): void {
    let event = 'message';
    let data: string | undefined;
    for (const line of lines) {
      const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line)!;
      if (field === '') this.comments.push(value);
      else if (field === 'id') {
        this.first_id ??= value;
        this.told.push(value);
        this.last_id = value;
      } else if (field === 'event') event = value;
      else if (field === 'retry') this.retry_ms = Number(value);
      else if (field === 'data') data = data === undefined ? value : `${data}\n${value}`;
      else throw new Error(`No line of an event stream: ${line}`);
    }
    if (data === undefined) return;
    this.events.push({ id: this.last_id, event, data: JSON.parse(data) });
    this.onEvent(this.events.at(-1)!);
  }
}

/** The answer that came instead of a stream. */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly headers: IncomingHttpHeaders,
    readonly body: any,
  ) {
    super(`${status} ${JSON.stringify(body)}`);
  }
}
