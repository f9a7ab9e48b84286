import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { load, loadAll } from 'js-yaml';

/** A Kubernetes object, as it stands in a manifest. */
export type Manifest = Record<string, any>;

interface Target {
  kind?: string;
  name?: string;
}

interface Replacement {
  source: Target & { fieldPath: string };
  targets: {
    select: Target;
    fieldPaths: string[];
    options?: { delimiter: string; index?: number };
  }[];
}

interface Patch {
  target: Target;
  /** JSON patches (RFC 6902), as YAML. */
  patch?: string;
  path?: string;
}

interface Kustomization {
  resources?: string[];
  components?: string[];
  configMapGenerator?: { name: string; files: string[]; options?: { labels: Record<string, string> } }[];
  patches?: Patch[];
  images?: { name: string; newTag: string }[];
  namespace?: string;
  replacements?: Replacement[];
}

/** The features of kustomize that k8s/ uses, so that tests need no binary; where kubectl is, the two are compared. */
const KNOWN = [
  ...[
    'apiVersion',
    'kind',
    'resources',
    'components',
    'configMapGenerator',
    'patches',
    'images',
    'namespace',
  ],
  'replacements',
];

/** What `kubectl kustomize <directory>` prints, in any order. @throws on what it does not know */
export async function render(directory: string, accumulated: Manifest[] = []): Promise<Manifest[]> {
  const text = await readFile(join(directory, 'kustomization.yaml'), 'utf8');
  const kustomization = load(text) as Kustomization;
  const unknown = Object.keys(kustomization).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`${directory}: ${unknown.join(', ')} is not known here`);
  const manifests = [...accumulated];
  for (const resource of kustomization.resources ?? [])
    manifests.push(...(await resourcesAt(join(directory, resource))));
  let all = manifests;
  for (const component of kustomization.components ?? []) all = await render(join(directory, component), all);
  for (const { name, files, options } of kustomization.configMapGenerator ?? [])
    addConfigMap(all, name, await contentsOf(directory, files), options);
  for (const patch of kustomization.patches ?? []) await applyPatch(all, patch, directory);
  if (kustomization.namespace !== undefined) moveTo(kustomization.namespace, all);
  for (const { name, newTag } of kustomization.images ?? []) tagImages(all, name, newTag);
  for (const replacement of kustomization.replacements ?? []) replace(all, replacement);
  return all;
}

/** Every file that a rendering of these directories reads. */
export async function filesOf(directory: string): Promise<string[]> {
  const file = join(directory, 'kustomization.yaml');
  const { resources, components, configMapGenerator, patches } = load(
    await readFile(file, 'utf8'),
  ) as Kustomization;
  const below = [...(resources ?? []), ...(components ?? [])].map((path) => join(directory, path));
  const nested = await Promise.all(below.map(async (path) => (isFolder(path) ? filesOf(path) : [path])));
  const own = [
    ...(configMapGenerator ?? []).flatMap(({ files }) => files),
    ...(patches ?? []).flatMap(({ path }) => path ?? []),
  ].map((path) => join(directory, path));
  return [...new Set([file, ...own, ...nested.flat()])];
}

const isFolder = (path: string): boolean => existsSync(join(path, 'kustomization.yaml'));

async function resourcesAt(path: string): Promise<Manifest[]> {
  if ((await stat(path)).isDirectory()) return render(path);
  return (loadAll(await readFile(path, 'utf8')) as (Manifest | null)[]).filter((one) => one !== null);
}

async function contentsOf(directory: string, files: string[]): Promise<Record<string, string>> {
  const entries = files.map(async (file) => [file, await readFile(join(directory, file), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(entries));
}

/** Under a name that follows from its content; whoever mounts it is told. */
function addConfigMap(
  manifests: Manifest[],
  name: string,
  data: Record<string, string>,
  metadata: { labels?: Record<string, string> } = {},
): void {
  const suffix = createHash('sha256').update(JSON.stringify(data)).digest('hex').slice(0, 10);
  for (const manifest of manifests) {
    for (const { configMap } of podOf(manifest)?.volumes ?? [])
      if (configMap?.name === name) configMap.name = `${name}-${suffix}`;
  }
  manifests.push({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `${name}-${suffix}`, ...metadata },
    data,
  });
}

export const podOf = (manifest: Manifest): any => manifest.spec?.template?.spec;

function selected(manifests: Manifest[], { kind, name }: Target): Manifest[] {
  return manifests.filter(
    (one) => (kind === undefined || one.kind === kind) && (name === undefined || one.metadata.name === name),
  );
}

async function applyPatch(
  manifests: Manifest[],
  { target, patch, path }: Patch,
  directory: string,
): Promise<void> {
  const text = patch ?? (await readFile(join(directory, path!), 'utf8'));
  const targets = selected(manifests, target);
  if (targets.length === 0) throw new Error(`${directory}: nothing to patch: ${JSON.stringify(target)}`);
  for (const manifest of targets)
    for (const step of load(text) as { op: string; path: string; value?: unknown }[])
      applyStep(manifest, step);
}

/** One step of RFC 6902: what is replaced or removed has to be there. */
function applyStep(
  manifest: Manifest,
  { op, path, value }: { op: string; path: string; value?: unknown },
): void {
  const keys = path
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop()!;
  const place = keys.reduce((at: any, key) => at?.[key], manifest);
  if (place === undefined || (op !== 'add' && !(last in place))) throw new Error(`nothing at ${path}`);
  if (op === 'remove') Reflect.deleteProperty(place, last);
  else if (op === 'add' && last === '-') place.push(value);
  else if (op === 'add' || op === 'replace') place[last] = structuredClone(value);
  else throw new Error(`${op} is not known here`);
}

function moveTo(namespace: string, manifests: Manifest[]): void {
  for (const manifest of manifests) {
    if (manifest.kind === 'Namespace') manifest.metadata.name = namespace;
    else manifest.metadata.namespace = namespace;
  }
}

function tagImages(manifests: Manifest[], name: string, tag: string): void {
  for (const { containers } of manifests.map(podOf).filter(Boolean))
    for (const container of containers) if (container.image === name) container.image = `${name}:${tag}`;
}

function replace(manifests: Manifest[], { source, targets }: Replacement): void {
  const sources = selected(manifests, source);
  if (sources.length !== 1) throw new Error(`${sources.length} sources: ${JSON.stringify(source)}`);
  let value = '';
  atPath(sources[0]!, keysOf(source.fieldPath), (found) => (value = found));
  for (const { select, fieldPaths, options } of targets) {
    for (const manifest of selected(manifests, select))
      for (const path of fieldPaths)
        atPath(manifest, keysOf(path), (found) => {
          if (!options) return value;
          const parts = found.split(options.delimiter);
          parts[options.index ?? 0] = value;
          return parts.join(options.delimiter);
        });
  }
}

/** `a.[b.c/d].[e=f].*` as its keys. */
function keysOf(path: string): string[] {
  return path.match(/\[[^\]]+\]|[^.[\]]+/g)!;
}

function atPath(place: any, [key, ...rest]: string[], change: (found: string) => string): void {
  const [, field, wanted] = /^\[(\w+)=(.+)\]$/.exec(key!) ?? [];
  const plain = key!.replace(/^\[(.*)\]$/, '$1');
  const found: (string | number)[] =
    key === '*'
      ? Object.keys(place)
      : field === undefined
        ? [plain]
        : (place as any[]).flatMap((one, index) => (one[field] === wanted ? [index] : []));
  for (const at of found) {
    if (place[at] === undefined) throw new Error(`nothing at ${key!}`);
    if (rest.length > 0) atPath(place[at], rest, change);
    else place[at] = change(place[at]);
  }
}
