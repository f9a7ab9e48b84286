import { type EntityManager } from 'typeorm';
import { claimKeys, compare, nameOf, type Claim, type Claimed, type KeyName } from './idempotency-keys.js';

/** Another transaction used one of the keys meanwhile: the frame is to be decided anew, with that known. */
export class KeyTaken extends Error {}

/**
 * The idempotency keys of a frame whose answers are known only once the frame is decided: those used before, and
 * those that its own calls have used so far. Load it when what the calls write to is locked: whoever repeats a
 * call then finds its key. A call that is refused leaves its key unused.
 */
export class FrameKeys {
  private readonly fresh: Claim[] = [];

  private constructor(
    private readonly manager: EntityManager,
    private readonly schema: string,
    private readonly used: Map<string, Pick<Claim, 'content_hash' | 'answer'>>,
  ) {}

  static async load(manager: EntityManager, schema: string, keys: KeyName[]): Promise<FrameKeys> {
    if (keys.length === 0) return new FrameKeys(manager, schema, new Map());
    const kept = await manager.query<Claim[]>(
      `SELECT kept.* FROM "${schema}"."idempotency_keys" AS kept
       JOIN unnest($1::uuid[], $2::text[], $3::text[]) AS claim (project_id, route, key)
       USING (project_id, route, key)`,
      (['project_id', 'route', 'key'] as const).map((name) => keys.map((key) => key[name])),
    );
    return new FrameKeys(manager, schema, new Map(kept.map((row) => [nameOf(row), row])));
  }

  /** The first answer, or the conflict to report; undefined for a key that is new. */
  earlier(key: Omit<Claim, 'answer'>): Exclude<Claimed, { first: true }> | undefined {
    const used = this.used.get(nameOf(key));
    return used && compare(key, used);
  }

  use(claim: Claim): void {
    this.used.set(nameOf(claim), claim);
    this.fresh.push(claim);
  }

  /** @throws KeyTaken */
  async save(): Promise<void> {
    const claimed = await claimKeys(this.manager, this.schema, this.fresh);
    if (!claimed.every(({ first }) => first)) throw new KeyTaken();
  }
}
