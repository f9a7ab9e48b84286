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
  /** The last lines before about each of its subjects; in place of one with a verdict, those that it has overtaken. */
  private before: PendingLine[] = [];
  /** Since when it has been tried in vain, in ms of `performance.now()`. */
  failing_since?: number;

  constructor(
    readonly number: number,
    readonly bytes: number,
  ) {}

  /** It is about something that this line, before it, was about last. */
  follow(line: PendingLine): void {
    this.before.push(line);
  }

  /** Whether all lines before it about the same have their verdict, or leave with it. */
  mayLeaveWith(frame: ReadonlySet<PendingLine>): boolean {
    return this.openBefore().every((line) => frame.has(line));
  }

  settle(outcome: Outcome<unknown>): void {
    this.verdict = verdictOf(this.number, this.wish?.kind.status ?? 200, outcome);
    // Whoever comes after holds on to this one: it must not hold on to all that came before.
    this.openBefore();
    this.wish = this.request = undefined;
  }

  /**
   * The nearest lines before it that have no verdict: they wait for those before them. One that is tried again is still
   * before whoever follows a line that left with it and has its verdict.
   */
  private openBefore(): PendingLine[] {
    // Lines are added while it is walked: each once, by however many ways it is reached.
    const reached = new Set(this.before);
    for (const { verdict, before } of reached) {
      if (verdict !== undefined) before.forEach((line) => reached.add(line));
    }
    this.before = [...reached].filter(({ verdict }) => verdict === undefined);
    return this.before;
  }
}
