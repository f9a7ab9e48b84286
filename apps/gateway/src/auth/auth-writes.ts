import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { Failure, NIL_UUID, Reply } from '#contracts';
import { Database, keyOf, writeOnce } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { matches } from '../http/answer.js';
import { recordChanges, type Change } from './audit-trail.js';
import { SCHEMA } from './auth.entity.js';
import { keyFrom, type MintedKey } from './key-format.js';
import { type RequestContext } from './request-context.js';
import { Revisions } from './revisions.js';

/** An answer before its keys are written out: what may be kept of them, but not the keys. */
type Unwritten<T> = { [Name in keyof T]: T[Name] | MintedKey };

export interface Effect<T> {
  body: Unwritten<T> | null;
  /** All that it changed, for the audit; none when everything was so already. */
  changes: Change[];
  version?: number | string;
  /** Set when rights shrank or moved: nobody hears of success before every gateway knows. */
  revision?: string;
}

/** What is kept of an effect, for its repeats. */
type Answer<T> = Omit<Effect<T>, 'changes'>;

/** Keys belong to a project; the operator's to none. */
const NO_PROJECT = NIL_UUID;

/** Every change of projects, members, devices and keys: one transaction with its audit, once per idempotency key. */
@Injectable()
export class AuthWrites {
  constructor(
    private readonly database: Database,
    private readonly revisions: Revisions,
    private readonly config: GatewayConfig,
  ) {}

  async once<T>(
    context: RequestContext,
    effect: (manager: EntityManager) => Promise<Effect<T>>,
  ): Promise<Reply<T>> {
    const { caller, idempotency } = context;
    const names = keyOf({ caller: { ...caller, project_id: caller.project_id || NO_PROJECT }, idempotency });
    const [outcome] = await writeOnce(this.database, SCHEMA, [{ names }], async (_, manager) => {
      const { changes, ...answer } = await effect(manager);
      await recordChanges(manager, context, changes);
      return [Reply.json<Answer<T>>(JSON.stringify(answer, withoutKey))];
    });
    if (outcome instanceof Failure) throw outcome;
    const { body, version, revision } = outcome!.body;
    if (revision) await this.revisions.settle(revision);
    return Reply.of(this.written(body) as T, { ...outcome!.marks, version: version?.toString() });
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

/**
 * `If-Match`, RFC 9110, section 13.1.1, but for its strong comparison: a proxy that compresses weakens the tags that
 * its client then sends. @throws Failure `precondition_failed`
 */
export function checkVersion(version: number | string, if_match: string | undefined): void {
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
