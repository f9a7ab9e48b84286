import { join } from 'node:path';
import ts from 'typescript';
import { type Manifest } from './kustomize.js';

/** Where the schemas of a group of kinds are; those of Kubernetes itself are in `kubernetes-models`. */
const PACKAGES: Record<string, string> = {
  'cert-manager.io': '@kubernetes-models/cert-manager',
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
};

/** Groups whose makers publish no package: their objects are held by assertions of our own. */
const WITHOUT_SCHEMA = ['postgresql.cnpg.io', 'barmancloud.cnpg.io'];

const groupOf = ({ apiVersion }: Manifest): string => apiVersion.split('/')[0];
const hasSchema = (manifest: Manifest): boolean => !WITHOUT_SCHEMA.includes(groupOf(manifest));
const moduleOf = (manifest: Manifest): string =>
  `${PACKAGES[groupOf(manifest)] ?? 'kubernetes-models'}/${manifest.apiVersion}/${manifest.kind}`;

/** What the schemas of Kubernetes have against these objects, a line each: values, formats, what is missing. */
export async function schemaProblems(manifests: Manifest[]): Promise<string[]> {
  const problems = manifests.filter(hasSchema).map(async (manifest) => {
    const models = (await import(moduleOf(manifest))) as Record<
      string,
      new (data: Manifest) => { validate(): void }
    >;
    try {
      new models[manifest.kind]!(manifest).validate();
      return [];
    } catch (error) {
      return [`${manifest.kind} ${manifest.metadata.name}: ${(error as Error).message}`];
    }
  });
  return (await Promise.all(problems)).flat();
}

/** What the compiler has against these objects as the types of Kubernetes: fields that nobody knows, which schemas let pass. */
export function typeProblems(manifests: Manifest[]): string[] {
  const file = join(import.meta.dirname, 'manifests.virtual.ts');
  const lines = manifests
    .filter(hasSchema)
    .map(
      (manifest, place) =>
        `import { type I${manifest.kind} as T${place} } from '${moduleOf(manifest)}'; export const m${place}: T${place} = ${JSON.stringify(manifest)};`,
    );
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    skipLibCheck: true,
    noEmit: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (path) => path === file || fileExists(path);
  host.getSourceFile = (path, ...rest) =>
    path === file
      ? ts.createSourceFile(path, lines.join('\n'), ts.ScriptTarget.ES2022)
      : getSourceFile(path, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
