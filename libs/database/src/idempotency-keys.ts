import { Failure, type Idempotency } from '#contracts';
import { Column, PrimaryColumn, type EntityManager } from 'typeorm';

/** Columns of the table `idempotency_keys` that each schema with writes has; extend it with an `@Entity`. */
export abstract class IdempotencyKey {
  @PrimaryColumn('uuid') project_id!: string;
  @PrimaryColumn('text') route!: string;
  @PrimaryColumn('text') key!: string;
  @Column('text') content_hash!: string;
  /** The first answer, as JSON text: a repeat is answered with these very characters. */
  @Column('text') answer!: string;
  @Column('timestamptz', { default: () => 'now()' }) created_at!: Date;
}

export interface Claim extends Idempotency {
  project_id: string;
  /** The answer to remember if this is the first use. */
  answer: string;
}

export type KeyName = Pick<Claim, 'project_id' | 'route' | 'key'>;

/** `first`: the effect is the caller's to make. Otherwise the first answer, or the conflict to report. */
export type Claimed =
  { first: true } | { first: false; answer: string } | { first: false; conflict: Failure };

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

/**
 * Claims keys inside the transaction of their effect; outcomes in the order of the claims. A key that another
 * transaction is claiming right now is waited for. Claims are made in one order everywhere, so that frames
 * never deadlock.
 */
export async function claimKeys(manager: EntityManager, schema: string, claims: Claim[]): Promise<Claimed[]> {
  if (claims.length === 0) return [];
  const columns = (['project_id', 'route', 'key', 'content_hash', 'answer'] as const).map((name) =>
    claims.map((claim) => claim[name]),
  );
  const table = `"${schema}"."idempotency_keys"`;
  const won = await manager.query<{ project_id: string; route: string; key: string }[]>(
    `INSERT INTO ${table} (project_id, route, key, content_hash, answer)
     SELECT project_id, route, key, content_hash, answer
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])
       WITH ORDINALITY AS claim (project_id, route, key, content_hash, answer, place)
     ORDER BY 1, 2, 3, place
     ON CONFLICT DO NOTHING RETURNING project_id, route, key`,
    columns,
  );
  const ours = new Set(won.map(nameOf));
  const outcomes = claims.map((claim): Claimed | undefined =>
    // Of equal keys in one frame the first takes it, the others are repeats.
    ours.delete(nameOf(claim)) ? { first: true } : undefined,
  );
  if (!outcomes.includes(undefined)) return outcomes as Claimed[];

  const kept = await manager.query<IdempotencyKey[]>(
    `SELECT kept.* FROM ${table} AS kept
     JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS claim (project_id, route, key)
     USING (project_id, route, key)`,
    columns.slice(0, 3),
  );
  const byName = new Map(kept.map((row) => [nameOf(row), row]));
  return outcomes.map(
    (outcome, index) => outcome ?? compare(claims[index]!, byName.get(nameOf(claims[index]!))!),
  );
}

/**
 * Remembers the answers to claims that were made before their answers were known, and won; in the same
 * transaction, so that nobody ever reads the claim without its answer.
 */
export async function keepAnswers(manager: EntityManager, schema: string, claims: Claim[]): Promise<void> {
  if (claims.length === 0) return;
  await manager.query(
    `UPDATE "${schema}"."idempotency_keys" AS kept SET answer = claim.answer
     FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) AS claim (project_id, route, key, answer)
     WHERE kept.project_id = claim.project_id AND kept.route = claim.route AND kept.key = claim.key`,
    (['project_id', 'route', 'key', 'answer'] as const).map((name) => claims.map((claim) => claim[name])),
  );
}

/** Lets go of claims that were won, in the same transaction: what they were for was refused. */
export async function releaseKeys(manager: EntityManager, schema: string, claims: Claim[]): Promise<void> {
  if (claims.length === 0) return;
  await manager.query(
    `DELETE FROM "${schema}"."idempotency_keys" AS kept
     USING unnest($1::uuid[], $2::text[], $3::text[]) AS claim (project_id, route, key)
     WHERE kept.project_id = claim.project_id AND kept.route = claim.route AND kept.key = claim.key`,
    (['project_id', 'route', 'key'] as const).map((name) => claims.map((claim) => claim[name])),
  );
}

/** A write and the promises that come with it: its idempotency key, its own id, both or neither. */
export interface Write {
  key?: Claim;
  own_id?: Claim;
}

/**
 * Which writes of a frame are new; a write with two claims is new only when both are. Keys come before ids, each
 * in one order, so that frames never deadlock. Whatever is not new leaves its other claim as if it had said so.
 * Of writes with one new key in a frame the first speaks for it: what it gets, the others get with it.
 */
export async function claimWrites(
  manager: EntityManager,
  schema: string,
  writes: Write[],
): Promise<Claimed[]> {
  const claimBy = async (
    claimOf: (write: Write) => Claim | undefined,
    among: Write[],
  ): Promise<Map<Write, Claimed>> => {
    const claiming = among.filter((write) => claimOf(write));
    const claimed = await claimKeys(
      manager,
      schema,
      claiming.map((write) => claimOf(write)!),
    );
    return new Map(claiming.map((write, index) => [write, claimed[index]!]));
  };
  const byKey = await claimBy(({ key }) => key, writes);
  const keyIsNew = (write: Write): boolean => byKey.get(write)?.first ?? true;
  const byId = await claimBy(({ own_id }) => own_id, writes.filter(keyIsNew));

  for (const [{ key }, outcome] of byId) {
    if (outcome.first || !key) continue;
    if ('answer' in outcome) await keepAnswers(manager, schema, [{ ...key, answer: outcome.answer }]);
    else await releaseKeys(manager, schema, [key]);
  }
  const speakers = new Map(
    writes.filter((write) => write.key && keyIsNew(write)).map((write) => [nameOf(write.key!), write]),
  );
  return writes.map((write) => {
    if (keyIsNew(write)) return byId.get(write) ?? { first: true };
    const repeat = byKey.get(write)!;
    const speaker = speakers.get(nameOf(write.key!));
    const spoken = speaker && byId.get(speaker);
    // A repeat was promised the answer that its speaker meant to get, before the ids had their say.
    return spoken && !spoken.first && 'answer' in repeat ? spoken : repeat;
  });
}

/** What a further use of a key gets. */
export function compare(
  claim: Omit<Claim, 'answer'>,
  kept: Pick<Claim, 'content_hash' | 'answer'>,
): Exclude<Claimed, { first: true }> {
  if (kept.content_hash === claim.content_hash) return { first: false, answer: kept.answer };
  return {
    first: false,
    conflict: new Failure('idempotency_conflict', undefined, {
      members: { first_content_hash: kept.content_hash, content_hash: claim.content_hash },
    }),
  };
}

/** Equal for the same key of the same project and route. */
export function nameOf({ project_id, route, key }: KeyName): string {
  return JSON.stringify([project_id, route, key]);
}
