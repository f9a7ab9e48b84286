import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { Failure, Reply, type CallContext } from '#contracts';
import { claimKeys, Database } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { matches } from '../http/answer.js';
import { SCHEMA } from './auth.entity.js';
import { keyFrom, type MintedKey } from './key-format.js';
import { Revisions } from './revisions.js';

/** An answer before its keys are written out: what may be kept of them, but not the keys. */
type Unwritten<T> = { [Name in keyof T]: T[Name] | MintedKey };

export interface Effect<T> {
  body: Unwritten<T> | null;
  version?: number;
  /** Set when rights shrank or moved: nobody hears of success before every gateway knows. */
  revision?: string;
}

/** Keys belong to a project; the operator's to none. */
const NO_PROJECT = '00000000-0000-0000-0000-000000000000';

/** Every change of projects, members, devices and keys: one transaction, once per idempotency key. */
@Injectable()
export class AuthWrites {
  constructor(
    private readonly database: Database,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {}

  async once<T>(
    { caller, idempotency }: CallContext,
    effect: (manager: EntityManager) => Promise<Effect<T>>,
  ): Promise<Reply<T>> {
    const { outcome, replayed } = await this.database.transaction(async (manager) => {
      if (!idempotency) return { outcome: await effect(manager), replayed: false };
      const claim = { ...idempotency, project_id: caller.project_id || NO_PROJECT, answer: '' };
      const [claimed] = await claimKeys(manager, SCHEMA, [claim]);
      if (!claimed!.first) {
        if ('conflict' in claimed!) throw claimed.conflict;
        return { outcome: JSON.parse((claimed as { answer: string }).answer) as Effect<T>, replayed: true };
      }
      const outcome = await effect(manager);
      await manager.query(
        `UPDATE auth.idempotency_keys SET answer = $4 WHERE project_id = $1 AND route = $2 AND key = $3`,
        [claim.project_id, claim.route, claim.key, JSON.stringify(outcome, withoutKey)],
      );
      return { outcome, replayed: false };
    });
    if (outcome.revision) await this.revisions.settle(outcome.revision);
    const version = outcome.version?.toString();
    return Reply.of(this.written(outcome.body) as T, { replayed, version });
  }

  private written(body: object | null): unknown {
    if (body === null) return null;
    const entries = Object.entries(body).map(([name, value]) => [
      name,
      isMinted(value) ? this.keyOf(value) : (value as unknown),
    ]);
    return Object.fromEntries(entries) as unknown;
  }

  private keyOf(minted: MintedKey): string {
    return keyFrom(this.config.KEY_SECRET, minted);
  }
}

/** `If-Match`, RFC 9110, section 13.1.1. @throws Failure `precondition_failed` */
export function checkVersion(version: number, if_match: string | undefined): void {
  if (if_match !== undefined && !matches(if_match, `"${version}"`)) {
    throw new Failure('precondition_failed', `The version now is "${version}"`);
  }
}

function isMinted(value: unknown): value is MintedKey {
  return typeof value === 'object' && value !== null && 'salt' in value && 'kind' in value;
}

function withoutKey(_name: string, value: unknown): unknown {
  return isMinted(value) ? { id: value.id, kind: value.kind, salt: value.salt } : value;
}
