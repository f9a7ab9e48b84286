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
    projects: [],
    logs: [],
    ...parts,
  };
}
