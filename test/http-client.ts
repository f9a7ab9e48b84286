export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed when the answer says it is JSON, text otherwise; of an event stream what came before it was left. */
  body: any;
}

/** For how long an event stream is read: it has no end. */
const STREAM_MS = 100;

/** What a caller of the REST API sees. */
export class HttpClient {
  constructor(
    readonly url: string,
    readonly key?: string,
  ) {}

  as(key: string | undefined): HttpClient {
    return new HttpClient(this.url, key);
  }

  at(url: string): HttpClient {
    return new HttpClient(url, this.key);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, undefined, headers);
  }

  post(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, body, headers);
  }

  patch(path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('PATCH', path, body, headers);
  }

  delete(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('DELETE', path, undefined, headers);
  }

  /** A string is sent as it is, anything else as JSON. */
  async send(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: {
        ...(this.key && { authorization: `Bearer ${this.key}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
    const text = isStream ? await beginningOf(response) : await response.text();
    const isJson = /[/+]json\b/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson && text ? JSON.parse(text) : text,
    };
  }
}

async function beginningOf({ body }: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  const read = new WritableStream<Uint8Array>({
    write: (chunk) => void (text += decoder.decode(chunk, { stream: true })),
  });
  const leaving = AbortSignal.timeout(STREAM_MS);
  await body?.pipeTo(read, { signal: leaving }).catch((error: unknown) => {
    if (!leaving.aborted) throw error;
  });
  return text;
}
