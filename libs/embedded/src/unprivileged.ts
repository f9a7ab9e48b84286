import { chown, readFile } from 'node:fs/promises';

export interface Command {
  command: string;
  args: string[];
}

const isRoot = process.getuid?.() === 0;

/**
 * A command that refuses to run as root, as this process may run it. As root it runs as `nobody`, which keeps of
 * root's powers only that directories above its own need not let it through, so that a checkout in /root works.
 */
export async function unprivileged(command: string, args: string[]): Promise<Command> {
  if (!isRoot) return { command, args };
  const { uid, gid } = await nobody();
  return {
    command: 'setpriv',
    args: [
      ...[`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'],
      ...['--inh-caps=+dac_override', '--ambient-caps=+dac_override', command],
      ...args,
    ],
  };
}

/** Hands files that this process made to the user that `unprivileged` runs as. */
export async function giveToUnprivilegedUser(...paths: string[]): Promise<void> {
  if (!isRoot) return;
  const { uid, gid } = await nobody();
  for (const path of paths) await chown(path, uid, gid);
}

async function nobody(): Promise<{ uid: number; gid: number }> {
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  const account = accounts.find(([name]) => name === 'nobody');
  if (!account)
    throw new Error('Postgres cannot run as root, and there is no user "nobody": set DATABASE_URL');
  return { uid: Number(account[2]), gid: Number(account[3]) };
}
