import { type Outcome } from '#contracts';
import { type RequestContext } from '../auth/request-context.js';
import { type AnyContent, type AnyLineKind } from './line-kinds.js';
import { verdictOf } from './verdict.js';

/** What a line asks for, once it has been read and found to be right. */
export interface Wish {
  kind: AnyLineKind;
  content: AnyContent;
  context: RequestContext;
}

/** A line on its way from being read to its verdict. */
export class PendingLine {
  verdict?: string;
  wish?: Wish;
  /** What the service is asked. */
  request?: unknown;
  subjects: string[] = [];
  /** The lines right before about the same. */
  predecessors: PendingLine[] = [];
  /** Since when it has been tried in vain, in ms of `performance.now()`. */
  failing_since?: number;

  constructor(
    readonly number: number,
    readonly bytes: number,
  ) {}

  /** All lines before about the same that have no verdict: one that is tried again is still before whoever follows a line that has one. */
  get open(): PendingLine[] {
    return this.predecessors.flatMap((line) => (line.verdict === undefined ? [line] : line.open));
  }

  settle(outcome: Outcome<unknown>): void {
    this.verdict = verdictOf(this.number, this.wish?.kind.status ?? 200, outcome);
    // Whoever comes after holds on to this one: it must not hold on to all that came before.
    this.predecessors = this.open;
    this.wish = this.request = undefined;
  }
}
