import { createWriteStream, type WriteStream } from 'node:fs';
import { once } from 'node:events';
import { type Write } from './write.js';

/** An answer of the gateway to one request. */
export interface Answered {
  took_ms: number;
  status: number;
  body: string;
  retry_after: string | null;
}

/** No answer: why not. The connection could not be made, or broke, or stayed `silent`. */
export interface Cut {
  took_ms: number;
  cut: string;
}

/** What came of one request. */
export type Outcome = Answered | Cut;

/** What the run writes down as it happens. Times are milliseconds of one clock that only goes forward. */
export type Entry = { at: number } & (
  | { what: 'invoked'; write: Write }
  | ({ what: 'answered'; number: number } & Answered)
  /** The same key with other content. */
  | ({ what: 'misused'; number: number } & Answered)
  | ({ what: 'cut'; number: number } & Cut)
  | { what: 'given_up'; number: number }
  | ({ what: 'read'; project_id: string; path: string } & Outcome)
  /** The stream of a project is open for the first time: behind this id it is to miss nothing. */
  | { what: 'stream_begun'; project_id: string; id: string }
  | { what: 'streamed'; project_id: string; kind: string; id: string; body: string }
  /** A stream that was not opened, or ended with a problem. */
  | { what: 'stream_refused'; project_id: string; status: number; body: string }
);

/** The file of what was invoked and acknowledged, a JSON text a line. The judge reads nothing else of the run. */
export class Journal {
  private readonly stream: WriteStream;

  constructor(readonly file: string) {
    this.stream = createWriteStream(file, { flags: 'a' });
  }

  note(entry: Entry): void {
    this.stream.write(`${JSON.stringify(entry)}\n`);
  }

  async close(): Promise<void> {
    this.stream.end();
    await once(this.stream, 'close');
  }
}
