import { acknowledged, isSuccess } from '../history.js';
import { type Evidence } from './evidence.js';

/** A call has 5 s; the rest is for a machine that has other things to do. */
const DEADLINE_MS = 10_000;

/** C7: nobody acknowledged a write from its beginning to its end within a fault that made it impossible. */
export function impossible({ history, struck }: Evidence): string[] {
  return history.sent.flatMap((sent) => {
    const answer = acknowledged(sent);
    if (!answer) return [];
    return struck
      .filter(
        ({ held_at, ending_at, prevents }) =>
          prevents?.(sent.write) && sent.invoked_at > held_at && answer.at < ending_at,
      )
      .map(({ name }) => `${sent.write.kind} ${sent.write.trace} was acknowledged during: ${name}`);
  });
}

/** C7: what fails for a time says 503 and `Retry-After`. */
export function unexplained({ history }: Evidence): string[] {
  return history.sent.flatMap(({ write, answers }) =>
    answers
      .filter((answer) => !isSuccess(answer) && (answer.status !== 503 || answer.retry_after === null))
      .map(({ status, body }) => `${write.method} ${write.path}: ${status} ${body.slice(0, 300)}`),
  );
}

/** C7: every answer comes within the deadline, unless the gateway itself stood still. */
export function late({ history, struck }: Evidence): string[] {
  const still = struck.filter(({ stillsGateway }) => stillsGateway);
  return history.sent.flatMap(({ write, answers, cuts }) =>
    [...answers, ...cuts]
      .filter(({ took_ms }) => took_ms > DEADLINE_MS)
      .filter(
        ({ at, took_ms }) =>
          !still.some(({ began_at, healed_at }) => at - took_ms < healed_at && at > began_at),
      )
      .map(
        (answer) =>
          `${write.kind} ${write.trace}: ${'status' in answer ? answer.status : answer.reason} after ${answer.took_ms} ms`,
      ),
  );
}
