import { Injectable } from '@nestjs/common';
import { type EntityManager } from 'typeorm';
import { Failure, NIL_UUID, Reply } from '#contracts';
import { Database, keyOf, writeOnce } from '#database';
import { GatewayConfig } from '../gateway.config.js';
import { namesVersion } from '../http/preconditions.js';
import { recordChanges, type Change } from './audit-trail.js';
import { SCHEMA } from './auth.entity.js';
import { keyFrom, type KeyParts, type MintedKey } from './key-format.js';
import { type RequestContext } from './request-context.js';
import { Revisions } from './revisions.js';

/** Members of answers that are keys, and of which only the parts are kept. No other is one, whatever a user put there. */
const KEYS = ['key', 'admin_key'] as const;

/** An answer before its keys are written out. */
type Unwritten<T> = { [Name in keyof T]: Name extends (typeof KEYS)[number] ? MintedKey : T[Name] };

export interface Effect<T> {
  body: Unwritten<T> | null;
  /** All that it changed, for the audit; none when everything was so already. */
  changes: Change[];
  version?: number | string;
  /** Set when rights shrank or moved: nobody hears of success before every gateway knows. */
  revision?: string;
}

/** What is kept of an effect, for its repeats. */
interface Answer extends Omit<Effect<unknown>, 'body' | 'changes'> {
  body: Record<string, unknown> | null;
  /** Who made it: answers of before there was a need to know have nobody. */
  by?: string;
}

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
      return [Reply.json<Answer>(JSON.stringify({ ...answer, by: caller.principal }))];
    });
    if (outcome instanceof Failure) throw outcome;
    const { body, version, revision, by = caller.principal } = outcome!.body;
    // An idempotency key is no secret: whoever repeats the request of another does not get to see its key.
    if (by !== caller.principal && KEYS.some((name) => body?.[name] !== undefined)) {
      throw new Failure(
        'conflict',
        'Another caller has used this Idempotency-Key, and a key is shown to its maker only',
      );
    }
    if (revision) await this.revisions.settle(revision);
    return Reply.of(this.written(body) as T, { ...outcome!.marks, version: version?.toString() });
  }

  private written(body: Answer['body']): unknown {
    if (!body) return null;
    const written = { ...body };
    for (const name of KEYS)
      if (written[name] !== undefined)
        written[name] = keyFrom(this.config.KEY_SECRET, written[name] as KeyParts);
    return written;
  }
}

/**
 * `If-Match`, RFC 9110, section 13.1.1, but for its strong comparison: a proxy that compresses weakens the tags that
 * its client then sends. @throws Failure `precondition_failed`
 */
export function checkVersion(version: number | string, if_match: string | undefined): void {
  if (if_match !== undefined && !namesVersion(if_match, version)) {
    throw new Failure('precondition_failed', `The version now is "${version}"`);
  }
}
