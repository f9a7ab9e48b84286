import { acknowledged } from '../history.js';
import { type Evidence } from './evidence.js';
import { keyName, rowName } from './stored.js';

/** C2: each write has one row at most. */
export function duplicated({ stored }: Evidence): string[] {
  const counts = new Map<string, number>();
  for (const row of stored.rows) counts.set(rowName(row), (counts.get(rowName(row)) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count > 1)
    .map(([name, count]) => `${name} is there ${count} times`);
}

/** C2: a write and its idempotency key are both there, or neither; whatever was acknowledged. */
export function torn({ history, stored }: Evidence): string[] {
  const there = new Set(stored.rows.map(rowName));
  return history.sent.flatMap((sent) => {
    const { write } = sent;
    const isThere = there.has(rowName(write));
    const isClaimed = stored.keys.has(keyName(write.kind, write.project_id, write.idempotency_key));
    if (isThere === isClaimed) return [];
    const answered = acknowledged(sent) ? 'acknowledged' : 'not acknowledged';
    return [
      `${write.kind} ${write.trace}, ${answered}: ${isThere ? 'a row without its key' : 'a key without its row'}`,
    ];
  });
}

/** C2: sums, last links and counters say what the rows say. */
export function contradictory({ stored }: Evidence): string[] {
  return stored.contradictions;
}
