import { requestText, type RequestText } from '#bus';
import { type Outcome } from '#contracts';
import { type RequestContext } from '../auth/request-context.js';
import { type AnyContent, type AnyLineKind } from './line-kinds.js';
import { verdictOf } from './verdict.js';

/** What a line asks for, once it has been read and found to be right. */
export interface Wish {
  kind: AnyLineKind;
  content: AnyContent;
  context: RequestContext;
  /** When it was read (RFC 3339, UTC): it may wait for long. */
  received_at: string;
}

/** The call that a line is to its service. What it asks is text: as objects it may take twenty times the room. */
interface LineCall {
  kind: AnyLineKind;
  context: RequestContext;
  request: RequestText<unknown>;
  /** Whether a repeat does nothing, however late the first may still be done. */
  isRecognised: boolean;
}

/** A line on its way from being read to its verdict. */
export class PendingLine {
  verdict?: string;
  /** Until it is a call, or has its verdict. */
  wish?: Wish;
  /** From then on, until it has its verdict. */
  call?: LineCall;
  subjects: string[] = [];
  /** The last lines before about each of its subjects; in place of one with a verdict, those that it has overtaken. */
  private before: PendingLine[] = [];
  /** Since when it has been tried in vain, in ms of `performance.now()`. */
  failing_since?: number;

  constructor(
    readonly number: number,
    /** How long the text of it is that is held: as it was read, then its request, then its verdict. */
    public bytes: number,
  ) {}

  /** @param request what its service is asked, once it is clear that this caller may */
  becomeCall(request: unknown): void {
    const { kind, content, context } = this.wish!;
    const text = requestText(request);
    const isRecognised = context.idempotency !== undefined || kind.isRecognised(content);
    this.call = { kind, context, request: text, isRecognised };
    this.subjects = kind.subjects(content, context.caller);
    this.bytes = Buffer.byteLength(text);
    this.wish = undefined;
  }

  /** It is about something that this line, before it, was about last. */
  follow(line: PendingLine): void {
    this.before.push(line);
  }

  /** Whether all lines before it about the same have their verdict, or leave with it. */
  mayLeaveWith(frame: ReadonlySet<PendingLine>): boolean {
    return this.openBefore().every((line) => frame.has(line));
  }

  settle(outcome: Outcome<unknown>): void {
    this.verdict = verdictOf(this.number, this.call?.kind.status ?? 200, outcome);
    this.bytes = Buffer.byteLength(this.verdict);
    // Whoever comes after holds on to this one: it must not hold on to all that came before.
    this.openBefore();
    this.wish = this.call = undefined;
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
