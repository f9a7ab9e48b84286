import { Column, PrimaryColumn, type EntityManager } from 'typeorm';

/** Columns of the table `inbox` that each schema has whose service consumes a feed; extend it with an `@Entity`. */
export abstract class InboxEntry {
  @PrimaryColumn('text') consumer!: string;
  @PrimaryColumn('uuid') entry_id!: string;
  @Column('timestamptz', { default: () => 'now()' }) taken_at!: string;
}

/** The statement for a migration that makes the table of `InboxEntry`. */
export function inboxTable(schema: string): string {
  return `CREATE TABLE "${schema}"."inbox" (
    "consumer" text NOT NULL,
    "entry_id" uuid NOT NULL,
    "taken_at" timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT "inbox_pkey" PRIMARY KEY ("consumer", "entry_id")
  )`;
}

/**
 * Which entries of a feed have not had their effect yet. Remembers them in the transaction of their effect: whatever is
 * delivered again has its effect once. @returns the ids that are new
 */
export async function takeNew(
  manager: EntityManager,
  schema: string,
  consumer: string,
  ids: string[],
): Promise<Set<string>> {
  const rows = await manager.query<{ entry_id: string }[]>(
    `INSERT INTO "${schema}"."inbox" (consumer, entry_id)
     SELECT DISTINCT $1, id FROM unnest($2::uuid[]) AS id ORDER BY id
     ON CONFLICT DO NOTHING RETURNING entry_id`,
    [consumer, ids],
  );
  return new Set(rows.map(({ entry_id }) => entry_id));
}
