import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { timingSafeEqual } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { GatewayConfig } from '../gateway.config.js';
import { hashOf, idOfForeignKey, keyIdOf } from './key-format.js';
import { KeysRepository } from './keys.repository.js';
import { type Principal } from './principal.js';
import { Revisions, type ChangedRights } from './revisions.js';

const MAX_KEYS = 200_000;
const USE_FLUSH_MS = 10_000;
const USES_A_STATEMENT = 10_000;

/**
 * Who holds a key. Checked keys are remembered for as long as `Revisions` says that memory may be trusted, so
 * that a known key costs no trip to the database.
 */
@Injectable()
export class KeyRing implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(KeyRing.name);
  private readonly principals = new Map<string, Principal>();
  private readonly keyOfId = new Map<string, string>();
  /** When keys were used last, until that is written. */
  private readonly used = new Map<string, number>();
  private changes = 0;
  private timer?: NodeJS.Timeout;

  constructor(
    private readonly keys: KeysRepository,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {
    revisions.onChange((changed) => this.forget(changed));
  }

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => void this.flushUses(), USE_FLUSH_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.flushUses();
  }

  /** Undefined for a key that is not known, revoked or expired. At once for one that is remembered. */
  holderOf(key: string): Principal | undefined | Promise<Principal | undefined> {
    const known = this.principals.get(key);
    if (known && this.revisions.isTrusted) {
      const now = Date.now();
      if (now >= known.expires_at_ms) return undefined;
      this.used.set(known.caller.key_id, now);
      return known;
    }
    // Each asks for itself: who joined a question that was asked before might hear of a key that is revoked by now.
    return this.load(key);
  }

  /** For requests that last: whether the key that was accepted is still good for the same caller. */
  async isHeld({ caller }: Pick<Principal, 'caller'>): Promise<boolean> {
    const remembered = this.principals.get(this.keyOfId.get(caller.key_id) ?? '');
    const now =
      remembered && this.revisions.isTrusted
        ? remembered
        : (await this.keys.holder(caller.key_id))?.principal;
    // It may end earlier by now than it did when it was accepted.
    return now !== undefined && Date.now() < now.expires_at_ms && isDeepStrictEqual(now.caller, caller);
  }

  private async load(key: string): Promise<Principal | undefined> {
    const id = keyIdOf(key) ?? this.foreignIdOf(key);
    if (id === undefined) return undefined;
    const changes = this.changes;
    const found = await this.keys.holder(id);
    if (!found || !timingSafeEqual(found.secret_hash, hashOf(this.config.KEY_SECRET, key))) return undefined;
    const now = Date.now();
    if (now >= found.principal.expires_at_ms) return undefined;
    this.used.set(id, now);
    // What changed while we asked may be newer than the answer: good for this request, not to be remembered.
    if (changes === this.changes) this.remember(key, found.principal);
    return found.principal;
  }

  /** Only the two keys that the operator may choose freely need not be written as ours are. */
  private foreignIdOf(key: string): string | undefined {
    const { FLOTILLA_OPERATOR_KEY, FLOTILLA_ADMIN_KEY, KEY_SECRET } = this.config;
    const isChosen = key === FLOTILLA_OPERATOR_KEY || key === FLOTILLA_ADMIN_KEY;
    return isChosen ? idOfForeignKey(KEY_SECRET, key) : undefined;
  }

  private remember(key: string, principal: Principal): void {
    if (this.principals.size >= MAX_KEYS) {
      const [oldest] = this.principals;
      this.principals.delete(oldest![0]);
      this.keyOfId.delete(oldest![1].caller.key_id);
    }
    this.principals.set(key, principal);
    this.keyOfId.set(principal.caller.key_id, key);
  }

  /** Whose rights have changed, or all. */
  private forget(changed?: ChangedRights): void {
    this.changes += 1;
    const ids = changed ? [...changed.key_ids, ...this.idsOf(changed.project_ids)] : this.keyOfId.keys();
    for (const id of ids) {
      this.principals.delete(this.keyOfId.get(id) ?? '');
      this.keyOfId.delete(id);
    }
  }

  private idsOf(project_ids: Set<string>): string[] {
    // Few projects are ever deleted: no need to remember keys by project, too.
    if (project_ids.size === 0) return [];
    const callers = [...this.principals.values()].map(({ caller }) => caller);
    return callers.filter(({ project_id }) => project_ids.has(project_id)).map(({ key_id }) => key_id);
  }

  private async flushUses(): Promise<void> {
    const uses = [...this.used];
    try {
      for (let at = 0; at < uses.length; at += USES_A_STATEMENT) {
        const some = uses.slice(at, at + USES_A_STATEMENT);
        await this.keys.noteUses(some);
        for (const [id, used_at] of some) if (this.used.get(id) === used_at) this.used.delete(id);
      }
    } catch (error) {
      this.logger.warn(error);
    }
  }
}
