import { Failure, withinProjects, type Call, type Outcome } from '#contracts';
import { beginSpan, endSpan, inSpan, keptFirst, serving, SpanKind, type Span } from '#tracing';
import {
  Server,
  type AsyncMicroserviceOptions,
  type CustomTransportStrategy,
  type MessageHandler,
} from '@nestjs/microservices';
import { type Msg } from '@nats-io/transport-node';
import { lastValueFrom } from 'rxjs';
import { BusConnection } from './connection.js';
import { aboutSubject, errorTypeOf, lineOf } from './followed-call.js';
import { decodeFrame, encodeFrame, type Part } from './frame.js';
import { type HandlerExtras, type Taking } from './handles.js';
import { LoopDelay } from './loop-delay.js';
import {
  contextsOf,
  failureToWire,
  MAX_PAYLOAD_BYTES,
  pingSubject,
  READS_ONCE,
  type CallHead,
  type OutcomeHead,
} from './wire.js';

export interface ServerLimits {
  /** Calls under way or waiting in this process; more are refused at once. */
  calls_in_flight: number;
  /** With its event loop further behind than this, in each of the last two seconds on average, the process refuses calls at once. */
  loop_delay_ms: number;
}

const DEFAULT_LIMITS: ServerLimits = { calls_in_flight: 4_096, loop_delay_ms: 1_000 };

interface ReceivedCall {
  place: number;
  expires_at: number;
  call: Call<unknown>;
}

/**
 * Nest's side of the bus: takes frames for the handlers of this app, as one of its replicas (NATS queue group),
 * and answers each call. Outcomes that are ready together travel together.
 */
class BusServer extends Server implements CustomTransportStrategy {
  private readonly limits: ServerLimits;
  private endings: (() => Promise<void>)[] = [];
  private readonly loopDelay = new LoopDelay();
  private outbox = new Map<string, Part<OutcomeHead>[]>();
  private inFlight = 0;

  constructor(
    private readonly connection: BusConnection,
    limits: Partial<ServerLimits> = {},
  ) {
    super();
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  listen(callback: (error?: unknown) => void): void {
    const { nats, name } = this.connection;
    for (const [subject, handler] of this.messageHandlers) {
      const { taking } = handler.extras as HandlerExtras;
      const receive = (message: Msg): void => this.receive(message, handler, taking);
      this.endings.push(this.connection.hear(subject, receive, name));
    }
    this.endings.push(this.connection.hear(pingSubject(name), (message) => void message.respond(), name));
    // Who is told that this app serves may call at once, over a connection of its own.
    nats.flush().then(() => callback(), callback);
  }

  /** Takes no new frames, finishes those under way, sends their answers. The connection stays open. */
  async close(): Promise<void> {
    await Promise.all(this.endings.splice(0).map((end) => end()));
    while (this.inFlight > 0 || this.outbox.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    if (this.connection.isStanding) await this.connection.nats.flush();
    this.loopDelay.close();
  }

  on(): never {
    throw new Error('the bus has no events of its own; ask BusConnection');
  }

  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- Nest's signature
  unwrap<T>(): T {
    return this.connection as T;
  }

  private receive(message: Msg, handler: MessageHandler, taking: Taking): void {
    const reply = message.reply;
    if (!reply) return;
    const received = readCalls(message.data, this.logger);
    this.connection.meters?.came(message.subject, received.length);
    if (this.isOverloaded(received.length)) {
      this.connection.meters?.dropped(message.subject, 'refused', received.length);
      const refusal = new Failure('unavailable', 'The service is overloaded', { nothing_done: true });
      for (const { place } of received) this.answer(reply, place, refusal);
      return;
    }
    this.inFlight += received.length;
    for (const group of groupsOf(received, taking)) void this.handle(message, group, handler, taking);
  }

  private isOverloaded(more: number): boolean {
    const { calls_in_flight, loop_delay_ms } = this.limits;
    return this.inFlight + more > calls_in_flight || this.loopDelay.ms > loop_delay_ms;
  }

  private async handle(
    { subject, reply }: Msg,
    received: ReceivedCall[],
    handler: MessageHandler,
    taking: Taking,
  ): Promise<void> {
    const began = performance.now();
    const alive = received.filter(({ expires_at }) => began < expires_at);
    const span = alive.length > 0 ? spanOf(subject, alive) : undefined;
    const found = await inSpan(span, () => this.outcomesOf(alive, handler, taking));
    const outcomes = alive.map((_, index) => found[index] ?? new Failure('internal'));
    endSpan(
      span,
      outcomes.map(errorTypeOf).find((type) => type !== undefined),
    );
    alive.forEach(({ place }, index) => this.answer(reply!, place, outcomes[index]!));
    this.connection.meters?.dropped(subject, 'expired', received.length - alive.length);
    const took_ms = performance.now() - began;
    if (alive.length > 0) this.connection.meters?.handled(subject, outcomes, took_ms);
    const { say } = this.connection;
    if (say)
      alive.forEach(({ call }, index) => say(lineOf('handled', subject, call, outcomes[index]!, took_ms)));
    this.inFlight -= received.length;
  }

  private async outcomesOf(
    received: ReceivedCall[],
    handler: MessageHandler,
    taking: Taking,
  ): Promise<Outcome<unknown>[]> {
    if (received.every(({ expires_at }) => performance.now() >= expires_at)) {
      return received.map(() => new Failure('unavailable', 'No answer in time'));
    }
    const calls = received.map(({ call }) => call);
    const projects = [...new Set(calls.map(({ caller }) => caller.project_id))];
    // A line of the log that tells of one project names no request of another.
    const told = projects.length === 1 ? calls : [];
    try {
      const result = await withinProjects(
        () => projects,
        () =>
          serving(told, async () => {
            const stream = this.transformToObservable(
              await handler(taking === 'together' ? calls : calls[0]),
            );
            return (await lastValueFrom(stream)) as Outcome<unknown> | Outcome<unknown>[];
          }),
      );
      return taking === 'together'
        ? (result as Outcome<unknown>[])
        : received.map(() => result as Outcome<unknown>);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('internal');
      const isOne = taking !== 'together' || received.length === 1;
      if (failure.code !== 'internal' || isOne) return received.map(() => failure);
      // Something in one of them broke what they share: halved until it is alone, only that one fails.
      const middle = received.length >> 1;
      const outcomes = await this.outcomesOf(received.slice(0, middle), handler, taking);
      return outcomes.concat(await this.outcomesOf(received.slice(middle), handler, taking));
    }
  }

  private answer(reply: string, place: number, outcome: Outcome<unknown>): void {
    const part: Part<OutcomeHead> =
      outcome instanceof Failure
        ? { head: [place, null, failureToWire(outcome)], body: '' }
        : { head: [place, outcome.marks], body: outcome.json };
    if (this.outbox.size === 0) setImmediate(() => this.sendAnswers());
    const parts = this.outbox.get(reply);
    if (parts) parts.push(part);
    else this.outbox.set(reply, [part]);
  }

  private sendAnswers(): void {
    const answers = this.outbox;
    // Another one each time: a Map whose entries come and go keeps what is long gone from the garbage collector.
    this.outbox = new Map();
    for (const [reply, parts] of answers) {
      const once = reply.includes(`.${READS_ONCE}.`);
      for (const frame of inFrames(parts, once)) this.connection.nats.publish(reply, frame);
    }
  }
}

/** A span for what a handler does at once: a part of the first call that somebody keeps, linked to the others. */
function spanOf(subject: string, received: ReceivedCall[]): Span | undefined {
  return beginSpan(subject, () => {
    const traceparents = received.flatMap(({ call }) => call.traceparent ?? []);
    const traceparent = keptFirst(traceparents);
    return {
      kind: SpanKind.SERVER,
      traceparent,
      links: traceparents.filter((other) => other !== traceparent),
      attributes: { ...aboutSubject(subject), 'messaging.batch.message_count': received.length },
    };
  });
}

/** The calls that a handler gets at once. */
function groupsOf(received: ReceivedCall[], taking: Taking): Iterable<ReceivedCall[]> {
  if (taking === 'together') return [received];
  if (taking === 'one') return received.map((one) => [one]);
  return Map.groupBy(received, ({ call: { caller, request } }) => JSON.stringify([caller, request])).values();
}

function readCalls(data: Uint8Array, logger: { error(message: unknown): void }): ReceivedCall[] {
  try {
    const now = performance.now();
    const parts = decodeFrame<CallHead>(data);
    const contexts = contextsOf(parts.map(({ head }) => head));
    return parts.map(({ head: [place, budget_ms], body }, index) => ({
      place,
      expires_at: now + budget_ms,
      call: { ...contexts[index]!, request: JSON.parse((body as Buffer).toString()) as unknown },
    }));
  } catch (error) {
    // Only another program on our subject can cause this: there is no caller to tell.
    logger.error(error);
    return [];
  }
}

/** As few frames as fit the largest message. */
function* inFrames(parts: Part<OutcomeHead>[], once: boolean): Generator<Uint8Array> {
  const frame = encodeFrame(parts, once);
  if (frame.length <= MAX_PAYLOAD_BYTES) yield frame;
  else if (parts.length > 1) {
    const middle = parts.length >> 1;
    yield* inFrames(parts.slice(0, middle), once);
    yield* inFrames(parts.slice(middle), once);
  } else {
    const [place] = parts[0]!.head;
    yield encodeFrame<OutcomeHead>([
      { head: [place, null, failureToWire(new Failure('too_large', 'The answer is too large'))], body: '' },
    ]);
  }
}

/** Options for `NestFactory.createMicroservice`: an app that answers calls over its `BusConnection`. */
export function busServer(
  limits?: Partial<ServerLimits>,
): AsyncMicroserviceOptions & { bufferLogs: boolean; abortOnError: boolean } {
  return {
    inject: [BusConnection],
    useFactory: (connection: BusConnection) => ({ strategy: new BusServer(connection, limits) }),
    bufferLogs: true,
    abortOnError: false,
  };
}
