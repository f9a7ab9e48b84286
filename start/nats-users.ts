import { NATS_USERS, natsUsers } from '#embedded';

const SECRETS: Record<string, (user: string) => string> = {
  password: (user) => `user: ${user}, password: $${secretVariable(user, 'NATS_PASSWORD')}`,
  nkey: (user) => `nkey: $${secretVariable(user, 'NKEY')}`,
};

/** Name of the variable that a nats.conf reads a user's secret from: `ACTIVITY_EVENTS_NATS_PASSWORD`. */
export function secretVariable(user: string, secret: 'NATS_PASSWORD' | 'NKEY'): string {
  return `${user.toUpperCase().replaceAll('-', '_')}_${secret}`;
}

/** The users of a nats.conf, which prove who they are by `password` or by `nkey`. */
export function usersBy(secret: string): string {
  const secretOf = SECRETS[secret];
  if (!secretOf) throw new Error(`say one of ${Object.keys(SECRETS).join(', ')}`);
  const head =
    '# Written by `npm run nats:users`: the rights are given in libs/embedded/src/nats-users.ts.\n';
  return head + natsUsers(NATS_USERS, secretOf);
}
