import { type Idempotency } from '#contracts';
import { Column, PrimaryColumn, type EntityManager } from 'typeorm';
import { columnsOf } from './columns-of.js';
import { prepared } from './database.js';

/** Columns of the table `idempotency_keys` that each schema with writes has; extend it with an `@Entity`. */
export abstract class IdempotencyKey {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') route!: string;
  @PrimaryColumn('text') key!: string;
  @Column('text') content_hash!: string;
  /** The first reply: a line of its marks as JSON, then its body, which a repeat gets with these very characters. */
  @Column('text') answer!: string;
  @Column('timestamptz', { default: () => 'now()' }) created_at!: string;
}

/** What a repeat of a write is known by: its idempotency key, or an id of its own. */
export interface WriteName extends Idempotency {
  project_id: string;
}

export type KeptName = WriteName & Pick<IdempotencyKey, 'answer'>;

/** Runs one statement. */
export type Query = <Row>(sql: string, values: unknown[]) => Promise<Row[]>;

/** The statement for a migration that makes the table of `IdempotencyKey`. */
export function idempotencyKeysTable(schema: string): string {
  return `CREATE TABLE "${schema}"."idempotency_keys" (
    "project_id" uuid NOT NULL,
    "route" text NOT NULL,
    "key" text NOT NULL,
    "content_hash" text NOT NULL,
    "answer" text NOT NULL,
    "created_at" timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT "idempotency_keys_pkey" PRIMARY KEY ("project_id", "route", "key")
  )`;
}

/** Those of the names that were used before. */
export async function findNames(query: Query, schema: string, names: WriteName[]): Promise<KeptName[]> {
  if (names.length === 0) return [];
  return query(
    `SELECT project_id, route, key, content_hash, answer FROM "${schema}"."idempotency_keys"
     JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS name (project_id, route, key) USING (project_id, route, key)`,
    columnsOf(names, ['project_id', 'route', 'key']),
  );
}

/**
 * In one order everywhere, so that frames never deadlock. Waits for a transaction that saves one of the names
 * right now, and fails if that one commits.
 */
export async function saveNames(manager: EntityManager, schema: string, names: KeptName[]): Promise<void> {
  if (names.length === 0) return;
  await prepared(
    manager,
    'save-names',
    `INSERT INTO "${schema}"."idempotency_keys" (project_id, route, key, content_hash, answer)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[]) ORDER BY 1, 2, 3`,
    columnsOf(names, ['project_id', 'route', 'key', 'content_hash', 'answer']),
  );
}
