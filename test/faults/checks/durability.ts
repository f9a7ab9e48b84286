import { acknowledged } from '../history.js';
import { type Evidence } from './evidence.js';
import { rowName } from './stored.js';

/** C1: each acknowledged write is in Postgres. */
export function lost({ history, stored }: Evidence): string[] {
  const there = new Set(stored.rows.map(rowName));
  return history.sent
    .filter((sent) => acknowledged(sent) && !there.has(rowName(sent.write)))
    .map(({ write }) => `${write.kind} ${write.trace} was acknowledged and is not there`);
}

/** C1: nothing is there that was never sent. */
export function foreign({ history, stored }: Evidence): string[] {
  const sent = new Set(history.sent.map(({ write }) => rowName(write)));
  return stored.rows
    .filter((row) => !sent.has(rowName(row)))
    .map((row) => `${row.kind} ${row.trace} is there and was never sent`);
}
