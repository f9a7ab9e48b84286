import { type Failure } from './failure.js';

/** Who a caller can be: an operator is of the instance, all others are of one project; a device speaks for itself alone. */
export type Role = 'operator' | 'admin' | 'editor' | 'viewer' | 'device';

/** Who calls, as the gateway has established it. Services trust it: only the gateway may publish calls. */
export interface Caller {
  /** The project that every read and write of the call is confined to. */
  project_id: string;
  role: Role;
  /** A member's id, or a device's own id. */
  principal: string;
  /** What others write to: a member's e-mail, or a device's id. */
  address: string;
  key_id: string;
}

/** The caller's promise that a repeat of this call is the same call. Kept for ever, per project and route. */
export interface Idempotency {
  route: string;
  key: string;
  /** SHA-256 (hex) of the canonical JSON (RFC 8785) of the content. */
  content_hash: string;
}

/** What travels with each call beside its request. */
export interface CallContext {
  caller: Caller;
  request_id: string;
  /** W3C trace context: the gateway's span where it traces, else the client's, if it sent one. */
  traceparent?: string;
  idempotency?: Idempotency;
}

/** One call as a handler sees it. */
export interface Call<Request> extends CallContext {
  request: Request;
}

/** A class that is made without arguments, as every declared shape is. */
export type Constructor<T> = new () => T;

/** A conversation the system can have: `subject` is a verb, `request` and `reply` are its shapes. */
export interface Contract<Request, Response> {
  readonly subject: string;
  readonly request: Constructor<Request>;
  readonly reply: Constructor<Response>;
}

/**
 * A conversation between `request` and `reply`.
 * @param subject `<service>.<verb>`: where in NATS the service listens, and whom the gateway may ask
 */
export function contract<Request, Response>(
  subject: string,
  request: Constructor<Request>,
  reply: Constructor<Response>,
): Contract<Request, Response> {
  return { subject, request, reply };
}

/** What HTTP must know about a reply that its body does not say. */
export interface ReplyMarks {
  /** The effect happened before: this is the first answer again. */
  replayed?: boolean;
  /** Nothing was created: what was asked for was there already. Makes a 201 a 200. */
  repeated?: boolean;
  /** Of a page: where the next one begins; becomes the Link header. */
  next_cursor?: string;
  /** Changes whenever the resource does; becomes the ETag. */
  version?: string;
}

/**
 * An answer as JSON text. It is written once, by the service, and passed on unread by everything between
 * there and the client; `body` parses it for those who want to look inside.
 */
export class Reply<T> {
  private constructor(
    readonly json: string | Uint8Array,
    readonly marks: ReplyMarks,
  ) {}

  static of<T>(body: T, marks: ReplyMarks = {}): Reply<T> {
    return new Reply<T>(JSON.stringify(body), marks);
  }

  /** For JSON that was already written, e.g. by Postgres or by a frame. */
  static json<T>(json: string | Uint8Array, marks: ReplyMarks = {}): Reply<T> {
    return new Reply<T>(json, marks);
  }

  get body(): T {
    return JSON.parse(typeof this.json === 'string' ? this.json : Buffer.from(this.json).toString()) as T;
  }
}

/** What becomes of a call: its reply, or why it was refused. */
export type Outcome<T> = Reply<T> | Failure;
