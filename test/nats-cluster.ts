import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { freePort, natsServerBinary, ServerProcess } from '#embedded';
import { ROOT } from './apps.js';

/** Three servers with the configuration of `k8s/nats`, of which only addresses and paths are changed. */
export interface NatsCluster {
  /** A URL that names all servers, with this user part. */
  urlFor(user: string): string;
  servers: ServerProcess[];
  stop(): Promise<void>;
}

const NAMES = ['nats-0', 'nats-1', 'nats-2'];

/** @param environment what the servers are told, as the Secret `nats-users` tells them */
export async function startNatsCluster(environment: Record<string, string>): Promise<NatsCluster> {
  const directory = await mkdtemp(join(tmpdir(), 'flotilla-nats-cluster-'));
  const ports = await Promise.all(NAMES.flatMap(() => [freePort(), freePort(), freePort()]));
  makeCertificate(directory);
  const authority = await readFile(join(directory, 'ca.crt'), 'utf8');
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), authority]);
  const users = await readFile(join(ROOT, 'k8s/nats/users.conf'), 'utf8');
  await writeFile(join(directory, 'users.conf'), users);
  const template = await readFile(join(ROOT, 'k8s/nats/nats.conf'), 'utf8');
  const command = await natsServerBinary();
  const servers = await Promise.all(
    NAMES.map(async (name, place) => {
      const [client, cluster, monitor] = ports.slice(place * 3) as [number, number, number];
      let text = template
        .replace('0.0.0.0:4222', `127.0.0.1:${client}`)
        .replace('0.0.0.0:6222', `127.0.0.1:${cluster}`)
        .replace('0.0.0.0:8222', `127.0.0.1:${monitor}`)
        .replace('/run/nats/', `${directory}/${name}.`)
        .replace('"/data"', `"${directory}/${name}"`)
        .replaceAll('/etc/nats-tls/', `${directory}/`);
      NAMES.forEach((other, at) => {
        text = text.replace(`${other}.nats-servers:6222`, `127.0.0.1:${ports[at * 3 + 1]!}`);
      });
      const configuration = join(directory, `${name}.conf`);
      await writeFile(configuration, text);
      const told = { ...environment, SERVER_NAME: name, STORE_BYTES: '1GiB' };
      return ServerProcess.start({
        name,
        command: 'env',
        args: [
          ...Object.entries(told).map(([key, value]) => `${key}=${value}`),
          command,
          '-c',
          configuration,
        ],
        stopSignal: 'SIGTERM',
        log: join(directory, `${name}.log`),
        ready: () => isHealthy(monitor),
      });
    }),
  );
  return {
    urlFor: (user) => NAMES.map((_, place) => `tls://${user}localhost:${ports[place * 3]!}`).join(','),
    servers,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As cert-manager makes it, but for addresses of this machine. */
function makeCertificate(directory: string): void {
  const openssl = (...args: string[]): unknown =>
    execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  openssl('req', '-x509', ...key, '-subj', '/CN=authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  const extensions = ['subjectAltName=DNS:localhost,IP:127.0.0.1', 'extendedKeyUsage=serverAuth,clientAuth'];
  openssl(
    ...['req', '-x509', ...key, '-subj', '/CN=nats', '-CA', 'ca.crt', '-CAkey', 'ca.key'],
    ...extensions.flatMap((one) => ['-addext', one]),
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-keyout', 'tls.key', '-out', 'tls.crt'],
  );
}

async function isHealthy(port: number): Promise<boolean> {
  return fetch(`http://127.0.0.1:${port}/healthz`).then(
    ({ ok }) => ok,
    () => false,
  );
}
