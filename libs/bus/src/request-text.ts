declare const asked: unique symbol;

/** What a service is asked, as JSON text. Its type tells of which contracts. */
export type RequestText<Request> = string & { readonly [asked]: Request };

/** A request as it travels, for one who holds on to it until it does: as objects it may take twenty times the room. */
export function requestText<Request>(request: Request): RequestText<Request> {
  return JSON.stringify(request) as RequestText<Request>;
}
