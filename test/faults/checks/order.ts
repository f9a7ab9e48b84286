import { acknowledged, type Sent } from '../history.js';
import { type Evidence } from './evidence.js';
import { rowName, type StoredRow } from './stored.js';

/** C3: versions of a device and sequences of a product are 1, 2, 3 …, their times never go back, prices are one chain. */
export function gaps({ stored }: Evidence): string[] {
  return [...bySubject(stored.rows)].flatMap(([subject, rows]) =>
    rows.flatMap((row, index) => {
      const before = rows[index - 1];
      const found: string[] = [];
      if (row.version !== index + 1) found.push(`${subject}: number ${index + 1} has version ${row.version}`);
      if (before && row.at < before.at)
        found.push(`${subject}: version ${row.version} is older than the one before`);
      if (row.kind === 'price' && row.previous !== (before?.trace ?? null))
        found.push(`${subject}: ${row.trace} follows ${row.previous}, not ${before?.trace}`);
      return found;
    }),
  );
}

/** C3: what was invoked after another write of its subject was acknowledged comes after it. */
export function reordered({ history, stored }: Evidence): string[] {
  const sentOf = new Map(history.sent.map((sent) => [rowName(sent.write), sent]));
  return [...bySubject(stored.rows)].flatMap(([subject, rows]) => {
    let earliest: { sent: Sent; acknowledged_at: number } | undefined;
    return rows.toReversed().flatMap((row) => {
      const sent = sentOf.get(rowName(row));
      if (!sent) return [];
      const isLate = earliest && sent.invoked_at > earliest.acknowledged_at;
      const acknowledged_at = acknowledged(sent)?.at;
      const found = isLate
        ? [
            `${subject}: ${row.trace} comes before ${earliest!.sent.write.trace}, which was acknowledged before it was sent`,
          ]
        : [];
      if (acknowledged_at !== undefined && acknowledged_at < (earliest?.acknowledged_at ?? Infinity))
        earliest = { sent, acknowledged_at };
      return found;
    });
  });
}

/** C3: the version that an answer names is the one that is stored. */
export function misnumbered({ history, stored }: Evidence): string[] {
  const rowOf = new Map(stored.rows.map((row) => [rowName(row), row]));
  return history.sent.flatMap((sent) => {
    const row = rowOf.get(rowName(sent.write));
    const answer = acknowledged(sent);
    if (!row || !answer) return [];
    const body = JSON.parse(answer.body) as { version?: number; sequence?: number; id?: string };
    const version = body.version ?? body.sequence ?? null;
    const found =
      version === row.version
        ? []
        : [`${row.kind} ${row.trace}: answered as ${version}, stored as ${row.version}`];
    return body.id === undefined || body.id === row.id
      ? found
      : [...found, `${row.kind} ${row.trace}: answered as ${body.id}, stored as ${row.id}`];
  });
}

/** In the order of their versions. */
function bySubject(rows: readonly StoredRow[]): Map<string, StoredRow[]> {
  const ordered = rows
    .filter(({ version }) => version !== null)
    .sort((one, other) => one.version! - other.version!);
  return Map.groupBy(ordered, ({ kind, project_id, subject }) => `${kind} of ${subject} in ${project_id}`);
}
