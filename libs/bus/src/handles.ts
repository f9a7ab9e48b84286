import { applyDecorators, UseFilters } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { type Call, type Contract, type Outcome, type Reply } from '#contracts';
import { FailureFilter } from './failure.filter.js';

/** Which contract a handler answers; for the server, whether it takes a frame's calls together. */
export interface HandlerExtras {
  contract: Contract<unknown, unknown>;
  together: boolean;
}

type Decorates<Handler> = <Method extends Handler>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

function handler<Request, Response>(target: Contract<Request, Response>, together: boolean): MethodDecorator {
  return applyDecorators(
    MessagePattern(target.subject, { contract: target, together }),
    UseFilters(FailureFilter),
  );
}

/** The method answers one call of the contract: `(call) => Promise<Reply>`; it throws a `Failure` to refuse. */
export function Handles<Request, Response>(
  target: Contract<Request, Response>,
): Decorates<(call: Call<Request>) => Promise<Reply<Response>>> {
  return handler(target, false);
}

/**
 * The method answers all calls of a frame together: `(calls) => Promise<outcomes>`, an outcome for each call in
 * the order of the calls. A `Failure` among them refuses that call alone; a thrown `Failure` other than `internal` refuses
 * them all. Anything else that is thrown has the handler asked again for half of the calls at a time, until the one that
 * breaks it is alone: what it did before it threw must be undone, or harmless when repeated.
 */
export function HandlesTogether<Request, Response>(
  target: Contract<Request, Response>,
): Decorates<(calls: Call<Request>[]) => Promise<Outcome<Response>[]>> {
  return handler(target, true);
}
