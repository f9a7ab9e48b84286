import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';
import { loadConfig, Metrics, openPrivateListener, settingsOf, type HealthController } from '#service';
import { ActivityEventsConfig } from '../apps/activity-events/src/activity-events.config.js';
import { DeviceStateConfig } from '../apps/device-state/src/device-state.config.js';
import { FirmwareConfig } from '../apps/firmware/src/firmware.config.js';
import { MessagesConfig } from '../apps/messages/src/messages.config.js';
import { GatewayConfig } from '../apps/gateway/src/gateway.config.js';
import { PricingConfig } from '../apps/pricing/src/pricing.config.js';
import { SCHEMAS } from '../start/app-schema.js';
import { PrepareConfig } from '../start/prepare.config.js';

const ROOT = join(import.meta.dirname, '..');
const BASE = join(ROOT, 'k8s', 'base');
const APPS = Object.keys(SCHEMAS);
/** Each app's role is called like its schema. */
const ROLES: Record<string, string | undefined> = SCHEMAS;
const CONFIGS: Record<string, new () => object> = {
  gateway: GatewayConfig,
  'activity-events': ActivityEventsConfig,
  'device-state': DeviceStateConfig,
  firmware: FirmwareConfig,
  pricing: PricingConfig,
  messages: MessagesConfig,
};

/** One container of ours, as a manifest or the compose file describes it. */
interface Workload {
  place: string;
  app: string;
  /** Runs `prepare.js` before the app, not the app. */
  prepares: boolean;
  environment: Record<string, string>;
}

/** A variable of a container in a manifest. */
interface Variable {
  name: string;
  value?: string;
  valueFrom?: { secretKeyRef: { name: string; key: string } };
}

const read = (...path: string[]): Promise<string> => readFile(join(ROOT, ...path), 'utf8');
const { version } = JSON.parse(await read('package.json'));
const composeText = await read('docker-compose.yml');
const compose = load(composeText) as { services: Record<string, any>; volumes: object };
const kustomization = load(await read('k8s', 'base', 'kustomization.yaml')) as any;
const manifests = (
  await Promise.all(kustomization.resources.map((file: string) => read('k8s', 'base', file)))
)
  .flatMap((text) => loadAll(text))
  .filter((document): document is Record<string, any> => document !== null);
const podOf = (manifest: Record<string, any>): any => manifest.spec?.template?.spec;
const pods = manifests.filter(podOf);
const containers: any[] = pods.flatMap((manifest) => podOf(manifest).containers);

/** As a person fills it in: text long enough for every secret, and safe in a URL. */
const SECRET = 'secret'.repeat(8);
function secretOf({ name, key }: { name: string; key: string }): string {
  if (key === 'NATS_URL') return `nats://flotilla:${SECRET}@nats:4222`;
  return key === 'DATABASE_URL'
    ? `postgres://${ROLES[name] ?? 'postgres'}:${SECRET}@postgres/flotilla`
    : SECRET;
}

const WORKLOADS: Workload[] = [
  ...Object.entries(compose.services)
    .filter(([, { image }]) => image.startsWith('flotilla/'))
    .map(([name, { image, command = [], environment }]) => ({
      place: `docker-compose.yml: ${name}`,
      app: appOf(image),
      prepares: command.includes('/flotilla/dist/start/prepare.js'),
      environment: Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [
          key,
          String(value).replace(/\$\{\w+:\?[^}]*\}/g, SECRET),
        ]),
      ),
    })),
  ...pods
    .flatMap((pod) => podOf(pod).containers.map((container: object) => ({ pod, ...container })))
    .filter(({ image }) => image.startsWith('flotilla/'))
    .map(({ pod, image, args = [], env }) => ({
      place: `k8s/base: ${pod.kind} ${pod.metadata.name}`,
      app: appOf(image),
      prepares: args.includes('/flotilla/dist/start/prepare.js'),
      environment: Object.fromEntries(
        env.map(({ name, value, valueFrom }: Variable) => [name, value ?? secretOf(valueFrom!.secretKeyRef)]),
      ),
    })),
];

function appOf(image: string): string {
  return image.replace(/^flotilla\//, '').replace(/:.*$/, '');
}

describe('deployment', () => {
  it.each(['docker-compose.yml', 'k8s/base'])(
    'runs each app once its schema is prepared, with %s',
    (where) => {
      const here = WORKLOADS.filter(({ place }) => place.startsWith(where));
      const apps = (prepares: boolean): string[] =>
        here
          .filter((one) => one.prepares === prepares)
          .map(({ app }) => app)
          .sort();
      expect(apps(false)).toEqual([...APPS].sort());
      expect(apps(true)).toEqual([...APPS].sort());
      expect(here.filter(({ app }) => !existsSync(join(ROOT, 'apps', app, 'src', 'main.ts')))).toEqual([]);
    },
  );

  it.each(WORKLOADS)(
    'tells $place only what it knows, and all that it needs',
    ({ app, prepares, environment }) => {
      const type = prepares ? PrepareConfig : CONFIGS[app]!;
      expect(Object.keys(environment).filter((name) => !settingsOf(type).includes(name))).toEqual([]);
      expect(() => loadConfig(type, environment)).not.toThrow();
    },
  );

  it('prepares the schema of the app that it is named after', () => {
    for (const { app, environment } of WORKLOADS.filter(({ prepares }) => prepares)) {
      expect(environment.APP).toBe(app);
      expect(new URL(environment.APP_DATABASE_URL!).username).toBe(ROLES[app]);
    }
  });

  it('pins every image, ours to the version of the package', async () => {
    const tags = new Map<string, string>(
      kustomization.images.map(({ name, newTag }: { name: string; newTag: string }) => [name, newTag]),
    );
    const ours = containers.map(({ image }) => (tags.has(image) ? `${image}:${tags.get(image)!}` : image));
    const bases = [...(await read('Dockerfile')).matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
    const images = [
      ...ours,
      ...bases,
      ...Object.values(compose.services).map(({ image }) => image),
    ] as string[];
    expect(images.filter((image) => !/:\d[\w.-]*$/.test(image))).toEqual([]);
    expect(new Set(images.filter((image) => image.startsWith('flotilla/')))).toEqual(
      new Set(APPS.map((app) => `flotilla/${app}:${version}`)),
    );
  });

  // Only which routes there are is asked of it.
  let listener: Awaited<ReturnType<typeof openPrivateListener>>;
  beforeAll(async () => {
    listener = await openPrivateListener({} as HealthController, new Metrics(), 0);
  });
  afterAll(() => listener.close());

  it('probes routes that the private listener has, on its port', async () => {
    const routes = ['startupProbe', 'livenessProbe', 'readinessProbe'].flatMap((probe) =>
      containers
        .filter(({ image }) => image.startsWith('flotilla/'))
        .flatMap(({ [probe]: found, ports }) => (found ? [{ ...found.httpGet, ports }] : [])),
    );
    expect(routes).toHaveLength(3 * APPS.length);
    for (const { path, port, ports } of routes) {
      expect(listener.hasRoute({ method: 'GET', url: path })).toBe(true);
      expect(ports).toContainEqual({ name: port, containerPort: 8081 });
    }
    const asked = Object.values(compose.services).flatMap(({ image, healthcheck }) =>
      image.startsWith('flotilla/') && healthcheck
        ? [/http:\/\/127\.0\.0\.1:8081(\/[\w/]+)/.exec(healthcheck.test.at(-1))![1]!]
        : [],
    );
    expect(asked).toHaveLength(APPS.length);
    expect(asked.every((url) => listener.hasRoute({ method: 'GET', url }))).toBe(true);
  });

  it('lets no container of the cluster be root, write its image, or gain rights', () => {
    for (const manifest of pods) {
      expect(podOf(manifest).securityContext).toMatchObject({
        runAsNonRoot: true,
        seccompProfile: { type: 'RuntimeDefault' },
      });
      expect(podOf(manifest).automountServiceAccountToken).toBe(false);
    }
    for (const { securityContext, resources } of containers) {
      expect(securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
      expect(resources).toMatchObject({
        requests: { cpu: expect.any(String) },
        limits: { memory: expect.any(String) },
      });
    }
  });

  it('runs each app with the options of Node that it keeps, as `npm start` does', async () => {
    const dockerfile = await read('Dockerfile');
    expect(dockerfile).toContain('/flotilla/apps/${APP}/node.env ./');
    expect(dockerfile).toContain('ENTRYPOINT ["node", "--env-file=/flotilla/node.env"]');
    for (const app of APPS) {
      const { stdout } = spawnSync(
        process.execPath,
        [`--env-file=apps/${app}/node.env`, '--print', 'process.env.NODE_OPTIONS'],
        { cwd: ROOT, env: {}, encoding: 'utf8' },
      );
      expect(stdout).toMatch(/^--max-semi-space-size=\d+ --import=#source-maps$/m);
    }
  });

  it('holds every manifest, and no secret', async () => {
    const files = (await readdir(BASE)).filter(
      (file) => file.endsWith('.yaml') && file !== 'kustomization.yaml',
    );
    expect([...kustomization.resources].sort()).toEqual(files.sort());
    expect(manifests.filter(({ kind }) => kind === 'Secret')).toEqual([]);
  });

  it('asks in compose.env.example for just what docker-compose.yml needs', async () => {
    const needed = new Set([...composeText.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!));
    const asked = [...(await read('compose.env.example')).matchAll(/^(\w+)=$/gm)].map(([, name]) => name!);
    expect(asked.sort()).toEqual([...needed].sort());
  });
});
