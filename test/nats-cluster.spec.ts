import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Logger } from '@nestjs/common';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, nkeys } from '@nats-io/transport-node';
import { BusConnection } from '#bus';
import { eventually } from '#testing';
import { usersBy } from '../start/nats-users.js';
import { APPS, ROOT } from './apps.js';
import { kubernetesSecrets } from './kubernetes-secrets.js';
import { startNatsCluster, type NatsCluster } from './nats-cluster.js';

const SECRETS = kubernetesSecrets();
/** Without openssl there are no certificates, and all of this is reported as skipped. */
const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

(hasOpenssl ? describe : describe.skip)('the NATS cluster of k8s/nats', () => {
  let cluster: NatsCluster;
  const connections: BusConnection[] = [];
  beforeAll(async () => {
    Logger.overrideLogger(false);
    cluster = await startNatsCluster(SECRETS.get('nats-users')!);
  });
  afterAll(async () => {
    await Promise.all(connections.map((connection) => connection.close()));
    await cluster.stop();
  });

  /** As the app connects with the seed in its Secret. */
  const openAs = async (app: string): Promise<BusConnection> => {
    const seed = new URL(SECRETS.get(app)!.NATS_URL!).username;
    const connection = await BusConnection.open({ name: app, url: cluster.urlFor(`${seed}@`) });
    connections.push(connection);
    return connection;
  };

  it.each(APPS)('lets %s in with the seed that its Secret holds, by TLS', async (app) => {
    const connection = await openAs(app);
    await connection.ping();
    expect(connection.nats.info).toMatchObject({ tls_required: true, cluster: 'flotilla', jetstream: true });
  });

  it('gives each app the rights of the one table, and no more', async () => {
    expect(await readFile(join(ROOT, 'k8s/nats/users.conf'), 'utf8')).toBe(usersBy('nkey'));
    const { nats } = await openAs('pricing');
    const refused = await nats
      .request('firmware.record', '', { timeout: 5_000 })
      .catch((error: Error) => error);
    expect(String(refused)).toMatch(/permissions violation/i);
  });

  it('lets nobody in without a seed, or with one that it does not know', async () => {
    const stranger = new TextDecoder().decode(nkeys.createUser().getSeed());
    for (const user of ['', 'flotilla:flotilla@', `${stranger}@`])
      await expect(BusConnection.open({ name: 'x', url: cluster.urlFor(user) })).rejects.toThrow(
        /authorization/i,
      );
  });

  it('speaks to nobody without TLS', async () => {
    const servers = cluster
      .urlFor('')
      .split(',')
      .map((url) => url.replace('tls://', ''));
    await expect(connect({ servers, tls: null, maxReconnectAttempts: 0 })).rejects.toThrow();
  });

  it('keeps what it has acknowledged when a server is killed', async () => {
    const { nats } = await openAs('firmware');
    const manager = await jetstreamManager(nats, { checkAPI: false });
    await eventually(() =>
      manager.streams.add({ name: 'feed_firmware', subjects: ['feed.firmware'], num_replicas: 3 }),
    );
    const publish = (count: number): Promise<unknown> =>
      jetstream(nats).publish('feed.firmware', String(count));
    for (let count = 1; count <= 10; count += 1) await publish(count);
    process.kill(cluster.servers[0]!.pid, 'SIGKILL');
    await eventually(() => publish(11), 30_000);
    const { state } = await eventually(() => manager.streams.info('feed_firmware'), 30_000);
    expect(state.messages).toBeGreaterThanOrEqual(11);
    const texts = new Set<string>();
    for (let seq = 1; seq <= state.messages; seq += 1)
      texts.add((await manager.streams.getMessage('feed_firmware', { seq }))!.string());
    expect([...texts]).toEqual(Array.from({ length: 11 }, (_, place) => String(place + 1)));
  });

  it('syncs every message to disk before it acknowledges', async () => {
    expect(await readFile(join(ROOT, 'k8s/nats/nats.conf'), 'utf8')).toMatch(
      /^jetstream \{.*sync_interval: always/m,
    );
  });
});
