import { type CallContext, type Caller, type Idempotency } from '#contracts';

/** What travels with each call of a request, and where the request came from, which is nobody else's to know. */
export class RequestContext implements CallContext {
  readonly caller: Caller;
  readonly request_id: string;
  traceparent?: string;
  idempotency?: Idempotency;
  /** Private, so that it is not sent along with calls. */
  readonly #client_ip: string;

  constructor({ caller, request_id }: Pick<CallContext, 'caller' | 'request_id'>, client_ip: string) {
    this.caller = caller;
    this.request_id = request_id;
    this.#client_ip = client_ip;
  }

  get client_ip(): string {
    return this.#client_ip;
  }

  /** The same request, for one of several calls that it makes. */
  with(idempotency: Idempotency): RequestContext {
    return Object.assign(new RequestContext(this, this.#client_ip), {
      ...(this.traceparent !== undefined && { traceparent: this.traceparent }),
      idempotency,
    });
  }
}
