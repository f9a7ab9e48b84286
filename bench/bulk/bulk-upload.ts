import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { type LoadResult } from '../load.js';

const CHUNK_BYTES = 64 * 1024;

/** Lines, as the bytes that are sent, and how many there are. */
export interface BulkFile {
  bytes: Buffer;
  lines: number;
}

export function bulkFile(lines: Iterable<object>): BulkFile {
  const texts = Array.from(lines, (line) => `${JSON.stringify(line)}\n`);
  return { bytes: Buffer.from(texts.join('')), lines: texts.length };
}

/** Sends a file in one bulk, as fast as it is taken; the rate is that of the whole, from its first byte to its last verdict. */
export async function upload(url: string, key: string, { bytes, lines }: BulkFile): Promise<LoadResult> {
  const startedAt = performance.now();
  const sending = request(`${url}/v1/bulk`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-ndjson' },
  });
  const answered = once(sending, 'response') as Promise<[IncomingMessage]>;
  const counting = answered.then(([response]) => countWell(response));
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    if (!sending.write(bytes.subarray(at, at + CHUNK_BYTES))) await once(sending, 'drain');
  }
  sending.end();
  const acknowledged = await counting;
  const elapsed_ms = performance.now() - startedAt;
  return {
    rate: acknowledged / (elapsed_ms / 1000),
    acknowledged,
    failed: lines - acknowledged,
    p50_ms: elapsed_ms,
    p99_ms: elapsed_ms,
  };
}

async function countWell(response: IncomingMessage): Promise<number> {
  let rest = '';
  let well = 0;
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
    const verdicts = (rest + chunk).split('\n');
    rest = verdicts.pop()!;
    well += verdicts.filter((verdict) => /"status":2\d\d\b/.test(verdict)).length;
  }
  return well;
}
