import { type FastifyRequest } from 'fastify';
import { Failure } from '#contracts';

const AUTHORIZATION = 'authorization';

/** The key of a request: exactly one, in one of its three places. @throws Failure `unauthenticated` */
export function oneKeyOf({ headers, raw }: FastifyRequest): string {
  const bearer =
    headers.authorization === undefined ? undefined : /^Bearer +(\S+)$/i.exec(headers.authorization)?.[1];
  const given = [headers.authorization, headers['x-api-key'], headers.api_key].filter(
    (one) => one !== undefined,
  );
  if (given.length === 0) throw new Failure('unauthenticated', 'Send a key: Authorization: Bearer <key>');
  if (given.length > 1 || isSentAgain(raw.rawHeaders))
    throw new Failure('unauthenticated', 'Send exactly one key');
  const key = headers.authorization === undefined ? String(given[0]) : bearer;
  if (!key) throw new Failure('unauthenticated', 'Send the key as Authorization: Bearer <key>');
  return key;
}

/** Of several headers `Authorization` Node keeps the first, and says nothing of the others. */
function isSentAgain(names_and_values: string[]): boolean {
  let times = 0;
  for (let at = 0; at < names_and_values.length; at += 2) {
    const name = names_and_values[at]!;
    if (name.length === AUTHORIZATION.length && name.toLowerCase() === AUTHORIZATION) times += 1;
  }
  return times > 1;
}
