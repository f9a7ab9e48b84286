import { Failure, Reply, type CallContext, type Contract } from '#contracts';
import { createInbox, type Msg } from '@nats-io/transport-node';
import { Channel, type ChannelLimits, type PendingCall } from './channel.js';
import { type BusConnection } from './connection.js';
import { decodeFrame, encodeFrame } from './frame.js';
import { callHeads, failureFromWire, MAX_PAYLOAD_BYTES, pingSubject, type OutcomeHead } from './wire.js';

export interface CallLimits extends ChannelLimits {
  /** How long a call may take unless told. */
  deadline_ms: number;
}

const DEFAULT_LIMITS: CallLimits = {
  deadline_ms: 5_000,
  calls_waiting: 4_096,
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
  private readonly pending = new Map<number, PendingCall>();
  private readonly inbox: string;
  private lastId = 0;
  private closing = false;

  constructor(
    private readonly connection: BusConnection,
    limits: Partial<CallLimits> = {},
  ) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
    this.inbox = createInbox(`_INBOX_${connection.name}`);
    connection.nats.subscribe(`${this.inbox}.*`, {
      callback: (error, message) => {
        if (!error) this.receive(message);
      },
    });
    connection.onLost(() => this.failAll('The connection to the services was lost'));
  }

  get isStanding(): boolean {
    return this.connection.isStanding;
  }

  /** @param deadline_ms how long this call may take; its handler never sees it when it comes too late */
  call<Request, Response>(
    { subject }: Contract<Request, Response>,
    request: Request,
    context: CallContext,
    deadline_ms = this.limits.deadline_ms,
  ): Promise<Reply<Response>> {
    if (this.closing || !this.isStanding) return Promise.reject(new Failure('unavailable'));
    const channel = this.channelOf(subject);
    if (channel.isFull)
      return Promise.reject(new Failure('unavailable', 'Too many requests are waiting already'));
    const body = JSON.stringify(request);
    if (Buffer.byteLength(body) > MAX_BODY_BYTES) return Promise.reject(new Failure('too_large'));

    return new Promise<Reply<Response>>((resolve, reject) => {
      const id = ++this.lastId;
      const settle = (outcome: Reply<Response> | Failure): void => {
        if (!this.pending.delete(id)) return;
        clearTimeout(timer);
        channel.settled(call);
        if (outcome instanceof Failure) reject(outcome);
        else resolve(outcome);
      };
      const timer = setTimeout(() => settle(new Failure('unavailable', 'No answer in time')), deadline_ms);
      const queued_at = performance.now();
      const call: PendingCall = {
        id,
        context,
        body,
        queued_at,
        expires_at: queued_at + deadline_ms,
        settle: settle as PendingCall['settle'],
      };
      this.pending.set(id, call);
      channel.push(call);
    });
  }

  /** What is under way, for metrics. */
  readonly gauges = {
    bus_calls: { help: 'Calls since the start.', read: (): number => this.lastId },
    bus_calls_pending: { help: 'Calls without an outcome yet.', read: (): number => this.pending.size },
  };

  /** Resolves when a replica of the service answers; asks past the frames, so that a full queue is not a dead service. */
  async ping(service: string): Promise<void> {
    await this.connection.nats.request(pingSubject(service), undefined, { timeout: 1_000 });
  }

  /** Takes no new calls, and waits until those under way have their outcome. */
  async drain(): Promise<void> {
    this.closing = true;
    while (this.pending.size > 0) await new Promise((resolve) => setTimeout(resolve, 5));
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
    if (message.headers?.code === 503) {
      // The only status NATS itself sends here: nobody listens on the subject.
      const frameId = Number(message.subject.slice(this.inbox.length + 1));
      for (const channel of this.channels.values()) {
        for (const call of channel.callsOf(frameId))
          call.settle(new Failure('unavailable', 'The service is not there'));
      }
      return;
    }
    for (const { head, body } of decodeFrame<OutcomeHead>(message.data)) {
      const [id, marks, failure] = head;
      this.pending.get(id)?.settle(failure ? failureFromWire(failure) : Reply.json(body, marks ?? {}));
    }
  }

  private failAll(detail: string): void {
    for (const call of [...this.pending.values()]) call.settle(new Failure('unavailable', detail));
  }
}
