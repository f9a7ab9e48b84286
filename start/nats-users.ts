import { NATS_USERS, natsUsers } from '#embedded';

/** Names of the variables that a nats.conf reads secrets from: `ACTIVITY_EVENTS_NATS_PASSWORD`. */
const SECRETS: Record<string, (user: string, prefix: string) => string> = {
  password: (user, prefix) => `user: ${user}, password: $${prefix}_NATS_PASSWORD`,
  nkey: (_, prefix) => `nkey: $${prefix}_NKEY`,
};

/** The users of a nats.conf, which prove who they are by `password` or by `nkey`. */
export function usersBy(secret: string): string {
  const secretOf = SECRETS[secret];
  if (!secretOf) throw new Error(`say one of ${Object.keys(SECRETS).join(', ')}`);
  const head =
    '# Written by `npm run nats:users`: the rights are given in libs/embedded/src/nats-users.ts.\n';
  return head + natsUsers(NATS_USERS, (name) => secretOf(name, name.toUpperCase().replaceAll('-', '_')));
}
