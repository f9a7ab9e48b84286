import { Failure, type Outcome, type Reply } from '#contracts';
import { reasonOf, STATUS } from '../problem.filter.js';

/** What became of a line, as a line. `status` is what its route answers when something was made. */
export function verdictOf(line: number, status: number, outcome: Outcome<unknown>): string {
  return `${JSON.stringify(outcome instanceof Failure ? refusal(line, outcome) : success(line, status, outcome))}\n`;
}

function success(line: number, made: number, reply: Reply<unknown>): object {
  const { id, result } = reply.body as { id?: string; result?: string };
  const { repeated, replayed } = reply.marks;
  return { line, status: repeated ? 200 : made, id, result, replayed };
}

function refusal(line: number, failure: Failure): object {
  return { line, status: STATUS[failure.code], error: reasonOf(failure) };
}
