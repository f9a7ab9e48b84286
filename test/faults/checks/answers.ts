import { isSuccess } from '../history.js';
import { type Evidence } from './evidence.js';

/** C4: all answers of 2xx to one idempotency key are equal; a repeat may say 200 where the first said 201. */
export function unequal({ history }: Evidence): string[] {
  return history.sent.flatMap(({ write, answers }) => {
    const different = new Set(answers.filter(isSuccess).map(({ body }) => body));
    return different.size > 1 ? [`${write.kind} ${write.trace}: ${[...different].join(' / ')}`] : [];
  });
}

/** C4: a key that is used again for other content gets no success, and never the first answer. */
export function misusable({ history }: Evidence): string[] {
  return history.sent.flatMap(({ write, misused }) =>
    misused
      .filter(({ status }) => status !== 409 && status !== 503)
      .map(({ status, body }) => `${write.kind} ${write.trace} with other content: ${status} ${body}`),
  );
}
