import { REFUSAL } from '../../../bench/failures.js';
import { type Struck } from '../fault.js';
import { type Sent } from '../history.js';
import { type Outcome } from '../journal.js';
import { type Overload } from '../overload.js';
import { type Evidence } from './evidence.js';

/** Of a run in which nothing was done, and nothing went wrong. */
export function anEvidence(parts: Partial<Evidence> = {}): Evidence {
  return {
    history: { sent: [], reads: [], streams: [] },
    stored: { rows: [], keys: new Set(), contradictions: [] },
    feeds: [{ kind: 'audit', rows: [], published: [] }],
    audit: { inbox: [], events: [], dead_letters: [], poison: [] },
    settled: { took_ms: 0, missing: [] },
    struck: [],
    overloads: [],
    projects: [],
    logs: [],
    ...parts,
  };
}

/** Held from 1,000 to 2,000 ms; all was well again at 3,000 ms, and told at 4,000 ms. */
export function aFault(parts: Partial<Struck> = {}): Struck {
  return {
    row: 'fault',
    name: 'a fault',
    began_at: 1_000,
    held_at: 1_000,
    ending_at: 2_000,
    healed_at: 2_000,
    recovered_ms: 1_000,
    caught_up_ms: 2_000,
    breaches: [],
    stillsGateway: false,
    killsGateway: false,
    isHarmless: false,
    ...parts,
  };
}

/** What came of a request at some time, `took_ms` after it was sent. */
export type Ended = Outcome & { at: number };

export const answered = (status: number, parts: Partial<Ended> = {}): Ended => ({
  at: 1_500,
  took_ms: 10,
  status,
  body: '{}',
  retry_after: status === 503 ? '1' : null,
  ...parts,
});

export const cut = (why: string, parts: Partial<Ended> = {}): Ended => ({
  at: 1_500,
  took_ms: 10,
  cut: why,
  ...parts,
});

/** A list was asked for, and that came of it. */
export function aRead(ended: Ended): Evidence['history'] {
  return { sent: [], reads: [{ project_id: 'p', path: '/v1/events', ...ended }], streams: [] };
}

/** A write was sent once, and that came of it. */
export function aWrite(ended: Ended): Evidence['history'] {
  const write: Sent['write'] = {
    number: 1,
    kind: 'event',
    project_id: 'p',
    trace: 'w1',
    subject: '',
    method: 'POST',
    path: '/v1/events',
    body: {},
    idempotency_key: 'k1',
  };
  const came = 'cut' in ended ? { answers: [], cuts: [ended] } : { answers: [ended], cuts: [] };
  return {
    sent: [{ write, invoked_at: ended.at - ended.took_ms, misused: [], isGivenUp: false, ...came }],
    reads: [],
    streams: [],
  };
}

/** One that was borne well. */
export function anOverload(parts: Partial<Overload> = {}): Overload {
  return {
    name: 'an overload',
    peak: 1_000,
    goodput: 1_000,
    refused: 9_000,
    failures: { [REFUSAL]: 9_000 },
    p99_ms: 300,
    memory: [{ app: 'gateway', before_mb: 100, after_mb: 110 }],
    lost: [],
    ...parts,
  };
}
