import { applyDecorators, UseFilters } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { type Call, type Contract, type Outcome, type Reply } from '#contracts';
import { FailureFilter } from './failure.filter.js';

/** How a handler takes the calls of a frame: one by one, all together, or once for all that ask the same. */
export type Taking = 'one' | 'together' | 'same';

/** Which contract a handler answers, and, for the server, how it takes a frame's calls. */
export interface HandlerExtras {
  contract: Contract<unknown, unknown>;
  taking: Taking;
}

type Decorates<Handler> = <Method extends Handler>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

function handler<Request, Response>(target: Contract<Request, Response>, taking: Taking): MethodDecorator {
  return applyDecorators(
    MessagePattern(target.subject, { contract: target, taking }),
    UseFilters(FailureFilter),
  );
}

/** The method answers one call of the contract: `(call) => Promise<Reply>`; it throws a `Failure` to refuse. */
export function Handles<Request, Response>(
  target: Contract<Request, Response>,
): Decorates<(call: Call<Request>) => Promise<Reply<Response>>> {
  return handler(target, 'one');
}

/**
 * As `Handles`, of a method that changes nothing: calls of one frame that ask the same with the same key are answered by
 * one, begun after all of them had come (decision 74).
 */
export function HandlesRead<Request, Response>(
  target: Contract<Request, Response>,
): Decorates<(call: Call<Request>) => Promise<Reply<Response>>> {
  return handler(target, 'same');
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
  return handler(target, 'together');
}
