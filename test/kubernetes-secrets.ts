import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './apps.js';
import { type Manifest } from './kustomize.js';

/** The Secrets that the documented command makes, by name. */
export function kubernetesSecrets(
  environment: Record<string, string> = {},
): Map<string, Record<string, string>> {
  const text = execFileSync(process.execPath, [join(ROOT, 'dist/start/kubernetes-secrets.js')], {
    env: { PATH: process.env.PATH, ...environment },
    stdio: 'pipe',
    encoding: 'utf8',
  });
  const { items } = JSON.parse(text) as { items: Manifest[] };
  return new Map(items.map(({ metadata, stringData }) => [metadata.name, stringData]));
}
