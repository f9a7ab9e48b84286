import { Failure, validatorOf } from '#contracts';
import { checkRole } from '../auth/allow.js';
import { idempotencyOf } from '../auth/call-context.js';
import { type RequestContext } from '../auth/request-context.js';
import { parseIJson } from '../http/i-json.js';
import { EXACT_PRICES } from '../writes/price-write.js';
import { type BulkLine } from './bulk-lines.js';
import { type AnyContent, type AnyLineKind, type LineKinds } from './line-kinds.js';
import { type Line } from './ndjson.js';
import { type Wish } from './pending-line.js';

export const MAX_LINE_BYTES = 64 * 1024;

/** Reads lines of one caller by the rules of their single routes. */
export class LineReader {
  constructor(
    private readonly kinds: LineKinds,
    private readonly context: RequestContext,
    /** The key of the whole: each line that has none of its own has it, with its number. */
    private readonly key: string | undefined,
  ) {}

  /** @throws Failure for a line that its single route would refuse unread */
  read(bytes: Line, number: number): Wish {
    if (!bytes) throw new Failure('too_large', `A line must not have more than ${MAX_LINE_BYTES} bytes`);
    const line = parseIJson(bytes, EXACT_PRICES);
    const kind = this.kindOf(line);
    checkRole(this.context.caller.role, kind.roles);
    const errors = validatorOf(kind.line)(line);
    if (errors.length > 0) throw Failure.invalid(...errors);
    // A header cannot hold a blank: no key that a caller chose for a line is one of these.
    const { kind: _, idempotency_key = this.key && `${this.key} ${number}`, ...content } = line as BulkLine;
    const context = this.contextOf(kind, content, idempotency_key);
    return { kind, content, context, received_at: new Date().toISOString() };
  }

  private kindOf(line: unknown): AnyLineKind {
    if (typeof line !== 'object' || line === null || Array.isArray(line)) {
      throw Failure.invalid({ pointer: '', detail: 'must be a JSON object' });
    }
    const kind = this.kinds.named((line as Partial<BulkLine>).kind);
    if (kind) return kind;
    throw Failure.invalid({ pointer: '/kind', detail: `must be one of ${this.kinds.names.join(', ')}` });
  }

  private contextOf(kind: AnyLineKind, content: AnyContent, key: string | undefined): RequestContext {
    if (key === undefined) return this.context;
    const { device_id, ...rest } = content as { device_id?: string };
    const [params, body] = kind.device_in_path ? [{ device_id }, rest] : [{}, content];
    return this.context.with(idempotencyOf(kind.route, key, params, body, this.context.caller));
  }
}
