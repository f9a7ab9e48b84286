import { type Answer, type HttpClient } from './http-client.js';

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
  const answer = await client.post('/v1/bulk', ndjson(lines), {
    'content-type': 'application/x-ndjson',
    ...headers,
  });
  return { ...answer, verdicts: answer.status === 200 ? verdictsIn(answer.body as string) : [] };
}

export function ndjson(lines: unknown[]): string {
  return lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
}

/** All whole lines of a text, parsed. */
export function verdictsIn(text: string): Verdict[] {
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  return whole === ''
    ? []
    : whole
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as Verdict);
}
