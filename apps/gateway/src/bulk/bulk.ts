import { setImmediate as turn } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { type Bus } from '#bus';
import { Failure } from '#contracts';
import { Lane } from './lane.js';
import { type AnyLineKind } from './line-kinds.js';
import { type LineReader } from './line-reader.js';
import { type Line } from './ndjson.js';
import { patiently } from './patience.js';
import { PendingLine } from './pending-line.js';
import { Signal } from './signal.js';

/** Lines that were read and whose verdict nobody has fetched. With as many, or as many bytes of them, no more are read. */
const MAX_LINES = 2_048;
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Lines in, verdicts out, in the order of the lines. It reads on while the services keep up and the client fetches its
 * verdicts, and holds a bounded number of lines whatever the length of the whole.
 */
export class Bulk {
  /** All lines that are held, oldest first. */
  private lines: PendingLine[] = [];
  private lastNumber = 0;
  private readonly lanes = new Map<AnyLineKind, Lane>();
  /** The last line about each subject, while it is held: as long as that, a line before it may have no verdict. */
  private readonly last = new Map<string, PendingLine>();
  private readonly change = new Signal();
  private readonly room = new Signal();
  /** Set once no further line is read. */
  private end?: { failure?: Error };
  private readonly stopping = Promise.withResolvers<never>();

  constructor(
    private readonly bus: Bus,
    private readonly reader: LineReader,
    /** Asked before each batch of lines. */
    private readonly mayGoOn: () => Promise<boolean>,
    /** How long a line waits for what is away for a moment. */
    private readonly patience_ms: number,
  ) {}

  get linesHeld(): number {
    return this.lines.length;
  }

  /**
   * Ends when every line that was read has its verdict. @throws why not all lines were read: the client hung up, its
   * key is no longer good, or the gateway stops
   */
  async *verdicts(batches: AsyncIterable<Line[]>): AsyncGenerator<string> {
    this.readAll(batches).then(
      () => this.readNoMore(),
      (error: unknown) => this.readNoMore(error as Error),
    );
    try {
      for (;;) {
        const verdicts = this.takeVerdicts();
        if (verdicts !== '') yield verdicts;
        else if (!this.end || this.lines.length > 0) await this.change.heard();
        else if (this.end.failure) throw this.end.failure;
        else return;
      }
    } finally {
      this.readNoMore();
      for (const lane of this.lanes.values()) lane.abandon();
    }
  }

  /** Resolves with what comes first, unless it is told to stop before. */
  first<Item>(coming: Promise<Item>): Promise<Item> {
    return Promise.race([coming, this.stopping.promise]);
  }

  /** Reads no further line; those that were read get their verdicts. */
  stop(): void {
    const failure = new Failure('unavailable', 'The gateway is stopping');
    this.stopping.reject(failure);
    this.readNoMore(failure);
  }

  private readNoMore(failure?: Error): void {
    this.end ??= { failure };
    this.change.ring();
    this.room.ring();
  }

  /** Whether more are held than may be, so that nothing is read until some are answered. */
  private get isFull(): boolean {
    const bytes = this.lines.reduce((sum, line) => sum + line.bytes, 0);
    return !this.end && (this.lines.length >= MAX_LINES || bytes >= MAX_BYTES);
  }

  private async readAll(batches: AsyncIterable<Line[]>): Promise<void> {
    for await (const batch of batches) {
      if (!(await patiently(this.mayGoOn, this.patience_ms))) throw new Failure('unauthenticated');
      await this.take(batch);
      // Others have their turn between any two batches, however fast lines come.
      await turn();
      while (this.isFull) await this.room.heard();
    }
  }

  private async take(batch: Line[]): Promise<void> {
    const lines = batch.map((bytes) => this.read(bytes));
    await this.prepareAll(lines);
    // Whoever has stopped meanwhile has stopped before these.
    if (this.end) return;
    for (const line of lines) {
      this.lines.push(line);
      if (line.verdict === undefined) this.line(line);
    }
    this.go();
  }

  private read(bytes: Line): PendingLine {
    const line = new PendingLine(++this.lastNumber, bytes?.length ?? 0);
    try {
      line.wish = this.reader.read(bytes, line.number);
    } catch (error) {
      line.settle(failureOf(error));
    }
    return line;
  }

  /** All at once, but for those whose addresses lines before them may register. */
  private async prepareAll(lines: PendingLine[]): Promise<void> {
    const naming = new Map<unknown, Promise<unknown>>();
    const prepared = lines.map((line) => {
      const { kind, content } = line.wish ?? {};
      const before = kind?.addresses?.(content!).flatMap((address) => naming.get(address) ?? []);
      const one = this.prepare(line, before);
      if (content?.device_id !== undefined)
        naming.set(content.device_id, Promise.all([naming.get(content.device_id), one]));
      return one;
    });
    await Promise.all(prepared);
  }

  private async prepare(line: PendingLine, before: Promise<unknown>[] = []): Promise<void> {
    if (!line.wish) return;
    const { kind, content, context, received_at } = line.wish;
    if (before.length > 0) await Promise.all(before);
    try {
      const request = await patiently(() => kind.request(content, context, received_at), this.patience_ms);
      line.becomeCall(request);
    } catch (error) {
      line.settle(failureOf(error));
    }
  }

  /** Puts a line behind those before it about the same, in the lane of its kind. */
  private line(line: PendingLine): void {
    const { kind } = line.call!;
    for (const subject of line.subjects) {
      const before = this.last.get(subject);
      if (before) line.follow(before);
      this.last.set(subject, line);
    }
    let lane = this.lanes.get(kind);
    if (!lane) this.lanes.set(kind, (lane = new Lane(kind, this.bus, this.patience_ms, () => this.go())));
    lane.push(line);
  }

  private go(): void {
    for (const lane of this.lanes.values()) lane.go();
    this.change.ring();
  }

  /** The verdicts of all lines up to the first that has none. */
  private takeVerdicts(): string {
    const open = this.lines.findIndex(({ verdict }) => verdict === undefined);
    const done = this.lines.splice(0, open < 0 ? this.lines.length : open);
    for (const line of done) {
      for (const subject of line.subjects) {
        if (this.last.get(subject) === line) this.last.delete(subject);
      }
    }
    this.room.ring();
    return done.map(({ verdict }) => verdict).join('');
  }
}

/** What is not for the client to know is for the log. */
function failureOf(error: unknown): Failure {
  const failure = error instanceof Failure ? error : new Failure('internal', undefined, { cause: error });
  if (failure.cause !== undefined) Logger.error({ err: failure.cause }, 'a line of a bulk failed');
  return failure;
}
