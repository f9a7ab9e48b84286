import { execFileSync, spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadAll } from 'js-yaml';
import { CONNECTIONS_A_PROCESS } from '#database';
import {
  AppConfig,
  loadConfig,
  Metrics,
  MigrationConfig,
  openPrivateListener,
  settingsOf,
  type HealthController,
} from '#service';
import { ROOT, appOf, APPS } from './apps.js';
import { allowedFlows } from './network-flows.js';
import { filesOf, podOf, render, type Manifest } from './kustomize.js';
import { kubernetesSecrets } from './kubernetes-secrets.js';
import { schemaProblems, typeProblems } from './kubernetes-schemas.js';
import { CONFIGS } from '../start/app-configs.js';
import { type AppName } from '../start/app-schema.js';
import { PrepareConfig } from '../start/prepare.config.js';

const K8S = join(ROOT, 'k8s');
const OVERLAYS = ['dev', 'production'];
const rendered = new Map<string, Manifest[]>();
for (const name of OVERLAYS) rendered.set(name, await render(join(K8S, 'overlays', name)));
const production = rendered.get('production')!;
const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };

const SECRETS = kubernetesSecrets();

const ofKind = (manifests: Manifest[], kind: string): Manifest[] =>
  manifests.filter((one) => one.kind === kind);
const namesOf = (manifests: Manifest[], kind: string): string[] =>
  ofKind(manifests, kind).map(({ metadata }) => metadata.name);
const containersOf = (manifests: Manifest[]): any[] =>
  manifests.filter(podOf).flatMap((manifest) => podOf(manifest).containers);
const labelsOf = (manifest: Manifest): Record<string, string> => manifest.spec.template.metadata.labels;
const ours = (manifests: Manifest[], kind: string): Manifest[] =>
  ofKind(manifests, kind).filter((one) => podOf(one).containers[0].image.startsWith('flotilla/'));
const matches = (selector: Record<string, string>, labels: Record<string, string>): boolean =>
  Object.entries(selector).every(([name, value]) => labels[name] === value);
const bytesOf = (quantity: string): number =>
  Number.parseInt(quantity) * 1024 ** (1 + ['K', 'M', 'G'].indexOf(/[KMG]/.exec(quantity)![0]));

describe('k8s', () => {
  it('holds no file that nothing reads, and nothing that is not there', async () => {
    const read = await Promise.all(
      [...OVERLAYS.map((name) => `overlays/${name}`), 'pricing-archive'].map((path) =>
        filesOf(join(K8S, path)),
      ),
    );
    const there = globSync('**/*.*', { cwd: K8S }).map((path) => join(K8S, path));
    expect([...new Set(read.flat())].sort()).toEqual(there.sort());
  });

  it('fits the types of Kubernetes, with no field that it does not know', () => {
    const problems = typeProblems([...rendered.values()].flat());
    expect(problems).toEqual([]);
  });

  it('is held by tests that see a field that Kubernetes does not know', async () => {
    const broken = structuredClone(ours(production, 'Deployment')[0]!);
    podOf(broken).containers[0].readinesProbe = {};
    expect(typeProblems([broken])).toEqual([expect.stringContaining('readinesProbe')]);
    delete podOf(broken).containers[0].name;
    expect(await schemaProblems([broken])).toEqual([expect.stringContaining('required property name')]);
  });

  const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0;
  (hasKubectl ? it : it.skip).each(OVERLAYS)('is rendered here as kubectl renders %s', (name) => {
    const text = execFileSync('kubectl', ['kustomize', join(K8S, 'overlays', name)], { encoding: 'utf8' });
    // Only the hash of a generated name is computed in another way.
    const comparable = (manifests: Manifest[]): string[] =>
      manifests
        .map((one) => JSON.stringify(sorted(one)).replace(/"(nats|flotilla-dashboard)-\w{10}"/g, '"$1-hash"'))
        .sort();
    expect(comparable(rendered.get(name)!)).toEqual(comparable(loadAll(text) as Manifest[]));
  });

  it('says where the pricing archive goes, for who wants one', async () => {
    const pricing = structuredClone(
      ofKind(production, 'Deployment').filter(({ metadata }) => metadata.name === 'pricing'),
    );
    const all = await render(join(K8S, 'pricing-archive'), pricing);
    expect(await schemaProblems(all)).toEqual([]);
    const [{ volumeMounts, env }] = podOf(pricing[0]!).containers;
    expect(env).toContainEqual({ name: 'PRICING_ARCHIVE_DIR', value: volumeMounts.at(-1).mountPath });
    const claim = podOf(pricing[0]!).volumes.at(-1).persistentVolumeClaim.claimName;
    expect(namesOf(all, 'PersistentVolumeClaim')).toEqual([claim]);
  });
});

describe.each(OVERLAYS)('the overlay %s', (overlay) => {
  const manifests = rendered.get(overlay)!;
  const pods = manifests.filter(podOf);

  it('fits the schemas of Kubernetes', async () => {
    expect(await schemaProblems(manifests)).toEqual([]);
  });

  it('has all that an app needs, for each app', () => {
    for (const kind of [
      'Deployment',
      'Service',
      'ServiceAccount',
      'HorizontalPodAutoscaler',
      'PodDisruptionBudget',
    ]) {
      expect(
        namesOf(manifests, kind)
          .filter((name) => !name.startsWith('nats'))
          .sort(),
      ).toEqual(APPS);
    }
    expect(namesOf(manifests, 'Job').sort()).toEqual(
      APPS.flatMap((app) => [`${app}-migration`, `${app}-roles`]).sort(),
    );
  });

  it('puts everything into its namespace, which allows restricted pods only', () => {
    const [namespace] = ofKind(manifests, 'Namespace');
    expect(namespace!.metadata.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const elsewhere = manifests.filter(
      ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== namespace!.metadata.name,
    );
    expect(elsewhere).toEqual([]);
  });

  it('pins every image, ours to the version of the package', () => {
    const images = containersOf(manifests).map(({ image }) => image as string);
    images.push(...ofKind(manifests, 'Cluster').map(({ spec }) => spec.imageName));
    expect(images.filter((image) => !/:\d[\w.-]*$/.test(image))).toEqual([]);
    expect(new Set(images.filter((image) => image.startsWith('flotilla/')))).toEqual(
      new Set(APPS.map((app) => `flotilla/${app}:${version}`)),
    );
  });

  it('lets no container be root, write its image, gain rights, or talk to Kubernetes', () => {
    for (const pod of pods) {
      expect(podOf(pod)).toMatchObject({
        automountServiceAccountToken: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(namesOf(manifests, 'ServiceAccount')).toContain(podOf(pod).serviceAccountName);
      expect(podOf(pod).hostNetwork ?? podOf(pod).hostPID ?? podOf(pod).hostIPC).toBeUndefined();
    }
    for (const account of ofKind(manifests, 'ServiceAccount'))
      expect(account.automountServiceAccountToken).toBe(false);
    for (const { securityContext, resources } of containersOf(manifests)) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toEqual({
        requests: { cpu: expect.any(String), memory: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  it('finds by each selector what it is meant for, and no job', () => {
    const running = pods.filter(({ kind }) => kind !== 'Job');
    const found = (selector: Record<string, string>): string[] =>
      pods.filter((pod) => matches(selector, labelsOf(pod))).map(({ metadata }) => metadata.name);
    for (const { metadata, spec } of running)
      expect(found(spec.selector.matchLabels)).toEqual([metadata.name]);
    for (const { metadata, spec } of ofKind(manifests, 'PodDisruptionBudget'))
      expect(found(spec.selector.matchLabels)).toEqual([metadata.name]);
    for (const { metadata, spec } of ofKind(manifests, 'Service')) {
      expect(found(spec.selector)).toEqual([metadata.name.replace('nats-servers', 'nats')]);
      const [pod] = pods.filter((one) => matches(spec.selector, labelsOf(one)));
      const ports = podOf(pod!).containers[0].ports.map(({ name }: { name: string }) => name);
      for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort);
    }
    for (const { metadata, spec } of ofKind(manifests, 'HorizontalPodAutoscaler'))
      expect(spec.scaleTargetRef).toEqual({ apiVersion: 'apps/v1', kind: 'Deployment', name: metadata.name });
    for (const { spec } of ofKind(manifests, 'StatefulSet'))
      expect(namesOf(manifests, 'Service')).toContain(spec.serviceName);
  });

  it('spreads replicas over zones and nodes', () => {
    for (const pod of pods.filter(({ kind }) => kind === 'Deployment')) {
      const { topologySpreadConstraints } = podOf(pod);
      expect(topologySpreadConstraints.map(({ topologyKey }: any) => topologyKey)).toEqual([
        'topology.kubernetes.io/zone',
        'kubernetes.io/hostname',
      ]);
      for (const { labelSelector } of topologySpreadConstraints)
        expect(labelSelector.matchLabels).toEqual(pod.spec.selector.matchLabels);
    }
  });

  it('replaces pods one by one, none before its successor is ready, and lets one go at a time', () => {
    for (const { spec } of ofKind(manifests, 'Deployment'))
      expect(spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 });
    for (const { spec } of ofKind(manifests, 'PodDisruptionBudget')) expect(spec.maxUnavailable).toBe(1);
  });

  it('leaves an app the time that it may need to stop', () => {
    const longest_request_s = 30;
    for (const pod of ours(manifests, 'Deployment')) {
      const { terminationGracePeriodSeconds, containers } = podOf(pod);
      const paused: number = containers[0].lifecycle.preStop.sleep.seconds;
      expect(paused).toBeGreaterThanOrEqual(5);
      expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(paused + longest_request_s + 10);
    }
  });

  it('refers only to Secrets and keys that the command makes, or an operator', () => {
    const made = new Map<string, string[]>([...SECRETS].map(([name, values]) => [name, Object.keys(values)]));
    for (const { spec } of ofKind(manifests, 'Certificate'))
      made.set(spec.secretName, ['ca.crt', 'tls.crt', 'tls.key']);
    for (const { metadata } of ofKind(manifests, 'Cluster')) made.set(`${metadata.name}-ca`, ['ca.crt']);
    for (const pod of pods) {
      for (const { env, envFrom = [] } of podOf(pod).containers) {
        for (const { valueFrom } of env)
          if (valueFrom?.secretKeyRef)
            expect(made.get(valueFrom.secretKeyRef.name)).toContain(valueFrom.secretKeyRef.key);
        for (const { secretRef } of envFrom) expect([...made.keys()]).toContain(secretRef.name);
      }
      for (const { secret, projected, configMap } of podOf(pod).volumes ?? []) {
        if (configMap) expect(namesOf(manifests, 'ConfigMap')).toContain(configMap.name);
        if (secret) expect([...made.keys()]).toContain(secret.secretName);
        for (const { secret } of projected?.sources ?? [])
          expect(made.get(secret.name)).toEqual(
            expect.arrayContaining(secret.items.map(({ key }: any) => key)),
          );
      }
    }
    for (const { spec } of ofKind(manifests, 'Cluster'))
      expect(made.get(spec.bootstrap.initdb.secret.name)).toEqual(
        expect.arrayContaining(['username', 'password']),
      );
  });

  it('has secrets that are taken as they are said, and says in a line what cannot be', () => {
    const ADMIN_PASSWORD = 'ab%41c @/';
    const { DATABASE_URL, password } = kubernetesSecrets({ ADMIN_PASSWORD }).get('postgres-admin')!;
    expect([password, decodeURIComponent(new URL(DATABASE_URL!).password)]).toEqual([
      ADMIN_PASSWORD,
      ADMIN_PASSWORD,
    ]);
    expect(() => kubernetesSecrets({ NATS_URL: 'x' })).toThrow(
      expect.objectContaining({
        stderr: 'The configuration is not usable:\n  NATS_URL must be a URL (nats, tls)\n',
      }),
    );
  });

  it('holds no secret', () => {
    expect(ofKind(manifests, 'Secret')).toEqual([]);
    for (const { env } of containersOf(manifests))
      for (const { name, value } of env)
        if (value !== undefined) expect(name).not.toMatch(/PASSWORD|SECRET|KEY|_URL|SEED|TOKEN/);
  });

  /** Of Node itself, and no setting of ours. */
  const OF_NODE = ['NODE_EXTRA_CA_CERTS'];
  const told = (container: any): Record<string, string> =>
    Object.fromEntries(
      container.env.map(({ name, value, valueFrom }: any) => [
        name,
        value ?? SECRETS.get(valueFrom.secretKeyRef.name)![valueFrom.secretKeyRef.key],
      ]),
    );

  it.each(APPS)('tells %s only what it knows, and all that it needs', (app) => {
    const deployment = ours(manifests, 'Deployment').find(({ metadata }) => metadata.name === app)!;
    const environment = told(podOf(deployment).containers[0]);
    const known = [...settingsOf(CONFIGS[app as AppName]), ...OF_NODE];
    expect(Object.keys(environment).filter((name) => !known.includes(name))).toEqual([]);
    expect(() => loadConfig(CONFIGS[app as AppName], environment)).not.toThrow();
  });

  it.each(APPS)(
    'gives the migration of %s the owner’s role, and only the job before it the administrator’s',
    (app) => {
      const jobOf = (name: string): any =>
        podOf(ofKind(manifests, 'Job').find(({ metadata }) => metadata.name === name)!).containers[0];
      const [roles, migration] = [jobOf(`${app}-roles`), jobOf(`${app}-migration`)];
      const prepared = loadConfig(PrepareConfig, told(roles));
      expect(Object.keys(told(migration))).toEqual(settingsOf(MigrationConfig));
      expect(prepared.APP).toBe(app);
      expect(told(migration).DATABASE_URL).toBe(prepared.OWNER_DATABASE_URL);
      const administrators = containersOf(manifests)
        .filter(({ env }) => JSON.stringify(env).includes('postgres-admin'))
        .map(({ args }) => args[0]);
      expect(new Set(administrators)).toEqual(new Set(['/flotilla/dist/start/prepare.js']));
      for (const { image, args } of [roles, migration]) expect([appOf(image), args.length]).toEqual([app, 1]);
    },
  );

  it('lets each part talk to what it needs, and to nothing else', () => {
    const flows = allowedFlows(
      ofKind(manifests, 'NetworkPolicy'),
      [
        ...pods.map((pod) => ({ name: pod.metadata.name as string, labels: labelsOf(pod) })),
        { name: 'postgres', labels: { 'cnpg.io/cluster': 'postgres' } },
        { name: 'solver', labels: { 'acme.cert-manager.io/http01-solver': 'true' } },
      ],
      [
        { name: 'names', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
        { name: 'ingress controller', namespace: 'ingress-nginx', labels: {} },
        { name: 'prometheus', namespace: 'monitoring', labels: {} },
        { name: 'operator', namespace: 'cnpg-system', labels: {} },
        { name: 'anybody', namespace: 'default', labels: {} },
      ],
      [53, 80, 443, 3000, 4222, 5432, 6222, 6443, 8000, 8081, 8089, 8222, 9187],
    );
    const jobs = APPS.flatMap((app) => [`${app}-migration`, `${app}-roles`]);
    const named = [...APPS, ...jobs, 'nats', 'postgres', 'solver'];
    const isMonitored = overlay === 'production';
    const monitored = isMonitored ? [...APPS.map((app) => `${app}:8081`), 'postgres:9187'] : [];
    expect(flows).toEqual(
      [
        ...named.map((name) => `${name} → names:53`),
        ...APPS.map((app) => `${app} → nats:4222`),
        ...[...APPS, ...jobs].map((name) => `${name} → postgres:5432`),
        ...monitored.map((exporter) => `prometheus → ${exporter}`),
        'ingress controller → gateway:3000',
        'ingress controller → solver:8089',
        'nats → nats:6222',
        ...['postgres', 'operator'].flatMap((name) => [`${name} → postgres:5432`, `${name} → postgres:8000`]),
        // Kubernetes itself and the store of the backups: addresses that no manifest can know.
        ...['names', 'ingress controller', 'prometheus', 'operator', 'anybody'].flatMap((name) => [
          `postgres → ${name}:443`,
          `postgres → ${name}:6443`,
        ]),
      ].sort(),
    );
  });

  it('leaves Postgres a connection for each that all pods may open, also while all apps are replaced', () => {
    const [{ spec: app }] = ofKind(manifests, 'Deployment') as [Manifest];
    // One more starts, and one that was replaced still ends.
    const more = (app.strategy.rollingUpdate.maxSurge as number) + 1;
    const most = ofKind(manifests, 'HorizontalPodAutoscaler').map(
      ({ spec }) => (spec.maxReplicas as number) + more,
    );
    const together = most.reduce((sum, one) => sum + one * CONNECTIONS_A_PROCESS, 0);
    const [{ spec }] = ofKind(manifests, 'Cluster') as [Manifest];
    expect(Number(spec.postgresql.parameters.max_connections)).toBeGreaterThanOrEqual(together + 30);
    for (const name of ['fsync', 'synchronous_commit', 'full_page_writes'])
      expect(spec.postgresql.parameters).not.toHaveProperty(name);
  });

  it('has Postgres know all letters and their case', () => {
    const [{ spec }] = ofKind(manifests, 'Cluster') as [Manifest];
    expect(spec.bootstrap.initdb).toMatchObject({
      localeProvider: 'builtin',
      builtinLocale: 'C.UTF-8',
      localeCType: 'C.UTF-8',
    });
  });

  it('takes clients in at the gateway alone, by TLS', () => {
    const [ingress, ...more] = ofKind(manifests, 'Ingress');
    expect(more).toEqual([]);
    expect(ingress!.spec.ingressClassName).toBe('nginx');
    const [{ host, http }] = ingress!.spec.rules;
    expect(ingress!.spec.tls).toEqual([{ hosts: [host], secretName: 'gateway-tls' }]);
    expect(host).not.toMatch(/invalid/);
    const { name, port } = http.paths[0].backend.service;
    const service = ofKind(manifests, 'Service').find(({ metadata }) => metadata.name === name);
    expect(service!.spec.ports).toContainEqual({ ...port, port: 80, targetPort: 'http' });
  });

  it('has certificates of NATS that last for years, as no server reads a new one until it starts', () => {
    const certificates = ofKind(manifests, 'Certificate');
    expect(certificates.map(({ spec }) => spec.secretName).sort()).toEqual(['nats-authority', 'nats-tls']);
    for (const { spec } of certificates) {
      // Without a time of its own, it is renewed after two thirds, and read within the last.
      expect(spec.renewBefore).toBeUndefined();
      expect(Number.parseInt(spec.duration) / 3).toBeGreaterThan(2 * 365 * 24);
    }
  });

  it('gives each nats-server a disk of its own that holds what JetStream may store', () => {
    const [nats] = ofKind(manifests, 'StatefulSet');
    expect(nats!.spec).toMatchObject({ replicas: 3, podManagementPolicy: 'Parallel' });
    const { storage } = nats!.spec.volumeClaimTemplates[0].spec.resources.requests;
    const { value } = podOf(nats!).containers[0].env.find(({ name }: any) => name === 'STORE_BYTES');
    expect(bytesOf(value)).toBeLessThan(bytesOf(storage) * 0.9);
    const feeds = ofKind(manifests, 'Deployment').map((deployment) => {
      const env = podOf(deployment).containers[0].env as { name: string; value?: string }[];
      return Number(env.find(({ name }) => name === 'FEED_MAX_MIB')?.value ?? new AppConfig().FEED_MAX_MIB);
    });
    // Dead letters are 64 MiB, and what is declared anew needs its room once more.
    const most = feeds.reduce((sum, feed) => sum + feed, 64 + Math.max(64, ...feeds));
    expect(bytesOf(value)).toBeGreaterThanOrEqual(most * 2 ** 20);
    const { volumes, containers } = podOf(nats!);
    const mounted = containers[0].volumeMounts.map(({ name }: any) => name);
    expect([...volumes.map(({ name }: any) => name), 'data'].sort()).toEqual(mounted.sort());
  });
});

describe('the overlay production', () => {
  it('runs at least two of each app', () => {
    for (const { spec } of ofKind(production, 'HorizontalPodAutoscaler'))
      expect(spec.minReplicas).toBeGreaterThanOrEqual(2);
  });

  it('never puts two nats-servers on one node', () => {
    const [nats] = ofKind(production, 'StatefulSet');
    const [{ topologyKey, labelSelector }] = podOf(nats!).affinity.podAntiAffinity
      .requiredDuringSchedulingIgnoredDuringExecution;
    expect(topologyKey).toBe('kubernetes.io/hostname');
    expect(matches(labelSelector.matchLabels, labelsOf(nats!))).toBe(true);
  });

  it('answers a write once two of three Postgres servers have it, and keeps backups', () => {
    const [{ spec }] = ofKind(production, 'Cluster') as [Manifest];
    expect(spec.instances).toBe(3);
    expect(spec.postgresql.synchronous).toEqual({ method: 'any', number: 1, dataDurability: 'required' });
    expect(spec.affinity.podAntiAffinityType).toBe('required');
    const [store] = ofKind(production, 'ObjectStore');
    expect(spec.plugins[0].parameters.barmanObjectName).toBe(store!.metadata.name);
    expect(store!.spec.configuration.destinationPath).not.toMatch(/invalid/);
    const [schedule] = ofKind(production, 'ScheduledBackup');
    expect(schedule!.spec).toMatchObject({
      method: 'plugin',
      pluginConfiguration: { name: spec.plugins[0].name },
    });
    expect(schedule!.spec.schedule.split(' ')).toHaveLength(6);
  });
});

describe('probes', () => {
  // Only which routes there are is asked of it.
  let listener: Awaited<ReturnType<typeof openPrivateListener>>;
  beforeAll(async () => {
    listener = await openPrivateListener({} as HealthController, new Metrics(), 0);
  });
  afterAll(() => listener.close());

  it('ask each app on its private port for the route that is meant', () => {
    const wanted = {
      startupProbe: '/health/live',
      livenessProbe: '/health/live',
      readinessProbe: '/health/ready',
    };
    for (const deployment of ours(production, 'Deployment')) {
      const [container] = podOf(deployment).containers;
      for (const [probe, path] of Object.entries(wanted)) {
        expect(container[probe].httpGet).toEqual({ path, port: 'health' });
        expect(listener.hasRoute({ method: 'GET', url: path })).toBe(true);
      }
      const { HEALTH_PORT } = Object.fromEntries(container.env.map(({ name, value }: any) => [name, value]));
      expect(container.ports).toContainEqual({ name: 'health', containerPort: Number(HEALTH_PORT) });
    }
  });
});

/** With the keys of every object in order. */
function sorted(value: any): any {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted(value[key])]),
  );
}
