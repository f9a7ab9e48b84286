import { existsSync, globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import ts from 'typescript';
import { type HandlerExtras } from '#bus';
import * as contracts from '#contracts';
import { FAILURES, type Contract, type FailureCode } from '#contracts';
import { settingsOf } from '#service';
import { STATUS } from '../apps/gateway/src/problem.filter.js';

const ROOT = join(import.meta.dirname, '..');
const PLACES = ['apps', 'libs', 'start', 'test', 'bench'];

/** Paths of this pattern from the root, sorted. */
function files(pattern: string): string[] {
  return globSync(pattern, { cwd: ROOT }).sort();
}

const SOURCES = PLACES.flatMap((place) => files(`${place}/**/*.ts`));

interface Import {
  from: string;
  /** A path from the root for a file of ours, `#lib` for a library, a package's name, or `node:…`. */
  to: string;
}

async function importsOf(from: string): Promise<Import[]> {
  const { importedFiles } = ts.preProcessFile(await readFile(join(ROOT, from), 'utf8'));
  return importedFiles.map(({ fileName }) => ({
    from,
    to: fileName.startsWith('.')
      ? normalize(join(dirname(from), fileName)).replace(/\.js$/, '.ts')
      : fileName,
  }));
}

const isSpec = (path: string): boolean =>
  path.endsWith('.spec.ts') || /^(apps|libs)\/[^/]+\/test\//.test(path);
const libOf = (path: string): string | undefined => /^libs\/([^/]+)\//.exec(path)?.[1];
const appOf = (path: string): string | undefined => /^apps\/([^/]+)\//.exec(path)?.[1];

/** What the sources of a library may import, apart from each other. */
const LIBRARIES: Record<string, RegExp> = {
  contracts: /^(class-validator|@nestjs\/(swagger|common)|node:async_hooks)$/,
  tracing: /^(@opentelemetry\/.+|node:async_hooks)$/,
  bus: /^(#(contracts|tracing)|@nestjs\/(common|core|microservices)|rxjs|@nats-io\/.+|node:perf_hooks)$/,
  database: /^(#(contracts|tracing)|@nestjs\/(common|core|typeorm)|typeorm|pg|canonicalize|node:.+)$/,
  feeds: /^(#(bus|contracts|database)|@nestjs\/common|@nats-io\/.+|node:.+)$/,
  service:
    /^(#(contracts|tracing)|@nestjs\/(common|core|terminus)|class-validator|fastify|koffi|nestjs-pino|prom-client|node:.+)$/,
  embedded: /^(node:.+|pg)$/,
  testing: /./,
};

const LAYERS = ['controller', 'service', 'repository', 'entity'];
const layerOf = (path: string): number => LAYERS.indexOf(/\.(\w+)\.ts$/.exec(path)?.[1] ?? '');

describe('the architecture', () => {
  let imports: Import[];
  beforeAll(async () => {
    imports = (await Promise.all(SOURCES.map(importsOf))).flat();
  });

  const offending = (isWrong: (one: Import) => boolean): string[] =>
    imports.filter(isWrong).map(({ from, to }) => `${from} imports ${to}`);

  describe('of imports', () => {
    it('is read from real files', () => {
      const unresolved = offending(
        ({ to }) => to.includes('/') && /\.ts$/.test(to) && !existsSync(join(ROOT, to)),
      );
      expect(unresolved).toEqual([]);
      expect(imports.length).toBeGreaterThan(200);
    });

    it('has a rule for each library', () => {
      const libs = new Set(SOURCES.map(libOf).filter((lib) => lib !== undefined));
      expect([...libs].sort()).toEqual(Object.keys(LIBRARIES).sort());
    });

    it('lets each library import what the table says', () => {
      const isWrong = ({ from, to }: Import): boolean => {
        const lib = libOf(from);
        if (!lib || isSpec(from)) return false;
        return !LIBRARIES[lib]!.test(to) && libOf(to) !== lib;
      };
      expect(offending(isWrong)).toEqual([]);
    });

    it('has services load nothing that only the published document needs', () => {
      const types = 'libs/contracts/src/documentation.ts';
      const outside = ({ from, to }: Import): boolean =>
        to === '@nestjs/swagger' && appOf(from) !== 'gateway' && from !== types;
      expect(offending(outside)).toEqual([]);
    });

    it('lets only tests import what is for tests', () => {
      const isTest = (path: string): boolean =>
        isSpec(path) || path.startsWith('test/') || libOf(path) === 'testing';
      expect(offending(({ from, to }) => to === '#testing' && !isTest(from))).toEqual([]);
    });

    it('keeps each app to itself, and reaches libraries by their names', () => {
      expect(offending(({ from, to }) => !!appOf(from) && !!appOf(to) && appOf(from) !== appOf(to))).toEqual(
        [],
      );
      expect(offending(({ from, to }) => !!libOf(to) && libOf(from) !== libOf(to))).toEqual([]);
      const outside = ({ from, to }: Import): boolean => !!appOf(from) && /^(start|test|bench)\//.test(to);
      expect(offending(outside)).toEqual([]);
    });

    it('goes downwards only: controller, service, repository, entity', () => {
      const upwards = ({ from, to }: Import): boolean => {
        if (!appOf(from) || isSpec(from) || layerOf(from) < 0 || layerOf(to) < 0) return false;
        return layerOf(to) < layerOf(from) || (layerOf(to) === layerOf(from) && layerOf(to) === 0);
      };
      expect(offending(upwards)).toEqual([]);
    });

    it('has no cycle', () => {
      const targets = new Map(SOURCES.map((source) => [source, [] as string[]]));
      for (const { from, to } of imports) {
        const file = to.startsWith('#') ? `libs/${to.slice(1)}/src/index.ts` : to;
        if (targets.has(file)) targets.get(from)!.push(file);
      }
      const done = new Set<string>();
      const cycles: string[] = [];
      const visit = (file: string, path: string[]): void => {
        if (path.includes(file)) cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        else if (!done.has(file)) {
          for (const target of targets.get(file)!) visit(target, [...path, file]);
          done.add(file);
        }
      };
      for (const source of SOURCES) visit(source, []);
      expect(cycles).toEqual([]);
    });
  });

  describe('of names', () => {
    it('has no place for what belongs nowhere', () => {
      const nowhere = /(^|[/.-])(common|shared|utils?|helpers?|constants?|managers?)([/.-]|$)/;
      const everything = [...PLACES, 'docs', 'k8s'].flatMap((place) => files(`${place}/**/*`));
      expect(everything.length).toBeGreaterThan(SOURCES.length);
      expect(everything.filter((path) => nowhere.test(path))).toEqual([]);
    });

    it('has no barrels inside apps', async () => {
      const barrels: string[] = [];
      for (const path of SOURCES.filter(appOf)) {
        const text = await readFile(join(ROOT, path), 'utf8');
        const isList = path.endsWith('migrations/index.ts');
        if ((basename(path) === 'index.ts' && !isList) || /^export \* from/m.test(text)) barrels.push(path);
      }
      expect(barrels).toEqual([]);
    });
  });

  describe('of contracts', () => {
    const isContract = (value: unknown): value is Contract<unknown, unknown> =>
      typeof value === 'object' &&
      value !== null &&
      'subject' in value &&
      'request' in value &&
      'reply' in value;
    const declared = Object.values<unknown>(contracts).filter(isContract);
    const subjects = declared.map(({ subject }) => subject);

    it('has each subject once, as service and verb', () => {
      expect(subjects.length).toBeGreaterThan(0);
      expect(new Set(subjects).size).toBe(subjects.length);
      const services = SOURCES.map(appOf).filter((app) => app !== undefined);
      for (const subject of subjects) {
        expect(subject).toMatch(/^[a-z-]+\.[a-z-]+$/);
        expect(services).toContain(subject.split('.')[0]);
      }
    });

    it('has each contract handled once, by the service that it names', async () => {
      const handled: string[] = [];
      for (const path of files('apps/*/src/**/*.controller.ts')) {
        const exported = (await import(join(ROOT, path))) as Record<string, { prototype: object }>;
        for (const { prototype } of Object.values(exported)) {
          for (const name of Object.getOwnPropertyNames(prototype)) {
            const method = Object.getOwnPropertyDescriptor(prototype, name)!.value as object;
            const extras = Reflect.getMetadata('microservices:pattern_extras', method) as
              HandlerExtras | undefined;
            if (!extras?.contract) continue;
            handled.push(extras.contract.subject);
            expect(appOf(path)).toBe(extras.contract.subject.split('.')[0]);
          }
        }
      }
      expect(handled.sort()).toEqual(subjects.sort());
    });
  });

  it('documents each error code with its status', async () => {
    const text = await readFile(join(ROOT, 'docs/errors.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(\w+)` *\| (\d+) *\| .+ \| .+ \|$/gm)];
    const documented = Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]));
    expect(documented).toEqual(STATUS);
    expect(Object.keys(documented).sort()).toEqual((Object.keys(FAILURES) as FailureCode[]).sort());
  });

  describe('of settings', () => {
    it('shows each in .env.example with its default, and none too many', async () => {
      const defaults = new Map<string, string>();
      for (const path of [...files('apps/*/src/*.config.ts'), 'start/start.config.ts']) {
        const exported = (await import(join(ROOT, path))) as Record<
          string,
          new () => Record<string, unknown>
        >;
        for (const config of Object.values(exported)) {
          const values = new config();
          for (const name of settingsOf(config)) defaults.set(name, String(values[name] ?? ''));
        }
      }
      const text = await readFile(join(ROOT, '.env.example'), 'utf8');
      const shown = [...text.matchAll(/^#?([A-Z][A-Z_]*)=(.*)$/gm)].map(([, name, value]) => [name!, value!]);
      expect(shown.sort()).toEqual([...defaults].sort());
    });

    it('reads the environment in one place', async () => {
      const may = /^(libs\/service\/src\/config\.ts|start\/|libs\/testing\/|test\/|bench\/|.+\.spec\.ts$)/;
      const readers: string[] = [];
      for (const path of SOURCES.filter((source) => !may.test(source)))
        if (/process\s*\.\s*env/.test(await readFile(join(ROOT, path), 'utf8'))) readers.push(path);
      expect(readers).toEqual([]);
    });
  });
});
