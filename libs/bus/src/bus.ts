import { Failure, Reply, type CallContext, type Contract, type Outcome } from '#contracts';
import { createInbox, type Msg } from '@nats-io/transport-node';
import { Channel, type ChannelLimits } from './channel.js';
import { type BusConnection } from './connection.js';
import { followCall } from './followed-call.js';
import { decodeFrame, encodeFrame } from './frame.js';
import { type PendingCall } from './pending-call.js';
import { type RequestText } from './request-text.js';
import {
  callHeads,
  failureFromWire,
  MAX_PAYLOAD_BYTES,
  pingSubject,
  READS_ONCE,
  type OutcomeHead,
} from './wire.js';

export interface CallLimits extends ChannelLimits {
  /** How long a call may take unless told. */
  deadline_ms: number;
}

const DEFAULT_LIMITS: CallLimits = {
  deadline_ms: 5_000,
  calls_waiting: 8_192,
  longest_wait_ms: 300,
  calls_a_frame: 256,
  bytes_a_frame: 1024 * 1024,
  frames_in_flight: 2,
  slot_patience_ms: 1_000,
};

/** The largest body of a request: a message, less ample room for the head. */
const MAX_BODY_BYTES = MAX_PAYLOAD_BYTES - 64 * 1024;

/**
 * Calls the services behind NATS. Concurrent calls of one subject share frames; each call gets exactly its own
 * outcome, once: the reply, the failure of its handler, or `unavailable` when there is no answer in time,
 * nobody to answer, no connection, or too much waiting already.
 */
export class Bus {
  private readonly limits: CallLimits;
  private readonly channels = new Map<string, Channel>();
  private readonly inbox: string;
  private made = 0;
  private pending = 0;
  private closing = false;

  constructor(
    private readonly connection: BusConnection,
    limits: Partial<CallLimits> = {},
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.inbox = `${createInbox(`_INBOX_${connection.name}`)}.${READS_ONCE}`;
    connection.hear(`${this.inbox}.*`, (message) => this.receive(message));
    connection.onLost(() => this.failAll('The connection to the services was lost'));
  }

  /**
   * @param deadline_ms how long this call may take; its handler never sees it when it comes too late, by the time since a
   * service has read its frame: what a process that stood still had not read yet does not count
   */
  call<Request, Response>(
    { subject }: Contract<Request, Response>,
    request: Request,
    context: CallContext,
    deadline_ms = this.limits.deadline_ms,
  ): Promise<Reply<Response>> {
    const channel = this.channelOf(subject);
    const refusal = this.refusalBy(channel, { context });
    if (refusal) return Promise.reject(refusal);
    const body = JSON.stringify(request);
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) return Promise.reject(new Failure('too_large'));

    return new Promise<Reply<Response>>((resolve, reject) => {
      const expires_at = performance.now() + deadline_ms;
      const call = this.pendingCall(channel, { subject, context, body, expires_at }, (outcome) => {
        clearTimeout(timer);
        if (outcome instanceof Failure) reject(outcome);
        else resolve(outcome as Reply<Response>);
      });
      const timer = setTimeout(() => call.settle(unanswered(call)), deadline_ms);
      channel.push(call);
    });
  }

  /**
   * Calls of one project that travel in a frame of their own, so that one handler gets them together, in their order.
   * It takes its turn among the other frames of the subject. Never rejects: outcomes in the order of the calls,
   * failures among them; all `too_large` when one message cannot carry them.
   */
  callTogether<Request, Response>(
    { subject }: Contract<Request, Response>,
    calls: { request: RequestText<NoInfer<Request>>; context: CallContext }[],
    deadline_ms = this.limits.deadline_ms,
  ): Promise<Outcome<Response>[]> {
    const channel = this.channelOf(subject);
    const bytes = calls.reduce((sum, { request }) => sum + Buffer.byteLength(request), 0);
    if (calls.length === 0) return Promise.resolve([]);
    const company = Symbol(subject);
    const { context } = calls[0]!;
    const refusal =
      bytes > MAX_BODY_BYTES ? new Failure('too_large') : this.refusalBy(channel, { context, company });
    if (refusal) return Promise.resolve(calls.map(() => refusal));

    return new Promise((resolve) => {
      const outcomes = new Array<Outcome<Response>>(calls.length);
      const expires_at = performance.now() + deadline_ms;
      let left = calls.length;
      const pending = calls.map(({ request, context }, index) =>
        this.pendingCall(channel, { subject, context, body: request, expires_at, company }, (outcome) => {
          outcomes[index] = outcome as Outcome<Response>;
          left -= 1;
          if (left > 0) return;
          clearTimeout(timer);
          resolve(outcomes);
        }),
      );
      const timer = setTimeout(() => {
        for (const call of pending) call.settle(unanswered(call));
      }, deadline_ms);
      channel.push(...pending);
    });
  }

  /** What is under way, for metrics. */
  readonly gauges = {
    bus_calls: { help: 'Calls since the start.', read: (): number => this.made },
    bus_calls_pending: { help: 'Calls without an outcome yet.', read: (): number => this.pending },
  };

  /** Resolves when a replica of the service answers; asks past the frames, so that a full queue is not a dead service. */
  async ping(service: string): Promise<void> {
    await this.connection.nats.request(pingSubject(service), undefined, { timeout: 1_000 });
  }

  /** Takes no new calls, and waits until those under way have their outcome. */
  async drain(): Promise<void> {
    this.closing = true;
    while (this.pending > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** A call that gets its outcome once, whoever brings it. */
  private pendingCall(
    channel: Channel,
    { subject, ...call }: Omit<PendingCall, 'queued_at' | 'settle'> & { subject: string },
    settle: PendingCall['settle'],
  ): PendingCall {
    const followed = followCall(subject, call.context, this.connection.say);
    let isSettled = false;
    const pending: PendingCall = {
      ...call,
      ...(followed && { context: followed.context }),
      queued_at: performance.now(),
      settle: (outcome) => {
        if (isSettled) return;
        isSettled = true;
        this.pending -= 1;
        channel.settled(pending);
        followed?.end(outcome);
        settle(outcome);
      },
    };
    this.made += 1;
    this.pending += 1;
    return pending;
  }

  /** Why a call is not taken right now. Whoever waits with a company in hand has a bound of its own, and may wait long. */
  private refusalBy(
    { waiting }: Channel,
    call: Pick<PendingCall, 'context' | 'company'>,
  ): Failure | undefined {
    if (this.closing || !this.connection.isStanding)
      return new Failure('unavailable', undefined, { nothing_done: true });
    const isBehind = call.company === undefined && waiting.isBehindFor(call, performance.now());
    if (!isBehind && !waiting.isFullFor(call)) return undefined;
    // So many calls of the project wait that a further one would not be answered soon.
    return new Failure('unavailable', 'Too many requests are waiting already', { nothing_done: true });
  }

  private channelOf(subject: string): Channel {
    let channel = this.channels.get(subject);
    if (!channel) {
      channel = new Channel(this.limits, (frameId, calls) => {
        const now = performance.now();
        const heads = callHeads(calls, now);
        const parts = calls.map(({ body }, place) => ({ head: heads[place], body }));
        this.connection.nats.publish(subject, encodeFrame(parts), { reply: `${this.inbox}.${frameId}` });
        this.connection.meters?.left(subject, now - calls[0]!.queued_at);
      });
      this.channels.set(subject, channel);
    }
    return channel;
  }

  private receive(message: Msg): void {
    const frameId = Number(message.subject.slice(this.inbox.length + 1));
    const calls = [...this.channels.values()].map((channel) => channel.callsOf(frameId)).find(Boolean);
    // All of them have given up.
    if (!calls) return;
    if (message.headers?.code === 503) {
      // The only status NATS itself sends here: nobody listens on the subject.
      const failure = new Failure('unavailable', 'The service is not there', { nothing_done: true });
      for (const call of calls) call.settle(failure);
      return;
    }
    for (const { head, body } of decodeFrame<OutcomeHead>(message.data)) {
      const [place, marks, failure] = head;
      calls[place]?.settle(failure ? failureFromWire(failure) : Reply.json(body, marks ?? {}));
    }
  }

  private failAll(detail: string): void {
    for (const { calls } of this.channels.values()) {
      for (const call of calls) call.settle(unanswered(call, detail));
    }
  }
}

/** A call that has never left was done by nobody; of any other nobody knows. */
function unanswered({ frame }: PendingCall, detail = 'No answer in time'): Failure {
  return new Failure('unavailable', detail, { nothing_done: frame === undefined });
}
