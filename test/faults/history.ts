import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { type Answered, type Cut, type Entry, type Outcome } from './journal.js';
import { type Write } from './write.js';

/** When it came to that, on the clock of the journal. */
type Timed<T> = T & { at: number };

export type TimedAnswer = Timed<Answered>;

/** All that is known of a write from outside. */
export interface Sent {
  write: Write;
  invoked_at: number;
  answers: TimedAnswer[];
  /** Answers to the same key with other content. */
  misused: TimedAnswer[];
  cuts: Timed<Cut>[];
  /** Whether it was sent no more, without an acknowledgement. */
  isGivenUp: boolean;
}

/** A list that was asked for, once. */
export type Read = Timed<Outcome> & { project_id: string; path: string };

/** What a reader of one project's stream was sent, in its order. */
export interface Streamed {
  project_id: string;
  begun_at?: string;
  entries: { kind: string; id: string; body: string }[];
  refusals: { status: number; body: string }[];
}

/** The journal of a run, read back. */
export interface History {
  sent: Sent[];
  reads: Read[];
  streams: Streamed[];
}

export async function readHistory(file: string): Promise<History> {
  const sent = new Map<number, Sent>();
  const reads: Read[] = [];
  const streams = new Map<string, Streamed>();
  const streamOf = (project_id: string): Streamed => {
    const stream = streams.get(project_id) ?? { project_id, entries: [], refusals: [] };
    streams.set(project_id, stream);
    return stream;
  };
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const entry = JSON.parse(line) as Entry;
    switch (entry.what) {
      case 'invoked':
        sent.set(entry.write.number, {
          write: entry.write,
          invoked_at: entry.at,
          answers: [],
          misused: [],
          cuts: [],
          isGivenUp: false,
        });
        break;
      case 'answered':
        sent.get(entry.number)!.answers.push(entry);
        break;
      case 'misused':
        sent.get(entry.number)!.misused.push(entry);
        break;
      case 'cut':
        sent.get(entry.number)!.cuts.push(entry);
        break;
      case 'read':
        reads.push(entry);
        break;
      case 'stream_begun':
        streamOf(entry.project_id).begun_at = entry.id;
        break;
      case 'streamed':
        streamOf(entry.project_id).entries.push(entry);
        break;
      case 'stream_refused':
        streamOf(entry.project_id).refusals.push(entry);
        break;
      case 'given_up':
        sent.get(entry.number)!.isGivenUp = true;
        break;
    }
  }
  return { sent: [...sent.values()], reads, streams: [...streams.values()] };
}

/** The first acknowledgement; undefined for a write that may or may not have happened. */
export function acknowledged({ answers }: Sent): TimedAnswer | undefined {
  return answers.find(isSuccess);
}

export function isSuccess({ status }: Answered): boolean {
  return status >= 200 && status < 300;
}

/** One request of the run and what came of it. */
export type Exchange = Timed<Outcome> & { request: string; isWell: boolean };

/** Every request of the run: each sending of a write, with its own content or with other, and each read. */
export function exchanges({ sent, reads }: History): Exchange[] {
  return [
    ...sent.flatMap(({ write, answers, misused, cuts }) => {
      const request = `${write.kind} ${write.trace}`;
      return [
        ...answers.map((answer) => ({ ...answer, request, isWell: isSuccess(answer) })),
        ...misused.map((answer) => ({
          ...answer,
          request: `${request} with other content`,
          isWell: answer.status === 409,
        })),
        ...cuts.map((cut) => ({ ...cut, request, isWell: false })),
      ];
    }),
    ...reads.map((read) => ({
      ...read,
      request: `GET ${read.path} of ${read.project_id}`,
      isWell: !('cut' in read) && isSuccess(read),
    })),
  ];
}

export function sentenceOf(one: Exchange): string {
  const outcome = 'cut' in one ? one.cut : `${one.status} ${one.body.slice(0, 300)}`;
  return `${one.request}: ${outcome} after ${one.took_ms} ms`;
}
