import { randomBytes } from 'node:crypto';
import { nkeys } from '@nats-io/transport-node';
import { loadConfig, reasonOf } from '#service';
import { randomKey } from '../apps/gateway/src/auth/key-format.js';
import { SCHEMAS, type AppName } from './app-schema.js';
import { KubernetesSecretsConfig } from './kubernetes-secrets.config.js';
import { secretVariable } from './nats-users.js';

/**
 * Prints the Secrets that the manifests of `k8s/` refer to, each with new random values, for `kubectl create -f -`
 * (which, unlike `apply`, never replaces one that is there). Nothing is kept.
 */
try {
  const items = Object.entries(newSecrets(loadConfig(KubernetesSecretsConfig))).map(([name, stringData]) => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: name === 'postgres-admin' ? 'kubernetes.io/basic-auth' : 'Opaque',
    stringData,
  }));
  console.log(JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2));
} catch (error) {
  console.error(reasonOf(error));
  process.exit(1);
}

function newSecrets(config: KubernetesSecretsConfig): Record<string, Record<string, string>> {
  const secrets: Record<string, Record<string, string>> = { 'nats-users': {} };
  const admin_password = config.ADMIN_PASSWORD ?? random();
  secrets['postgres-admin'] = {
    username: config.ADMIN_ROLE,
    password: admin_password,
    DATABASE_URL: urlOf(config.DATABASE_URL, config.ADMIN_ROLE, admin_password),
  };
  for (const [app, schema] of Object.entries(SCHEMAS) as [AppName, string][]) {
    const user = nkeys.createUser();
    secrets['nats-users']![secretVariable(app, 'NKEY')] = user.getPublicKey();
    secrets[`${app}-owner`] = { DATABASE_URL: urlOf(config.DATABASE_URL, `${schema}_owner`, random()) };
    secrets[app] = {
      DATABASE_URL: urlOf(config.DATABASE_URL, schema, random()),
      NATS_URL: urlOf(config.NATS_URL, new TextDecoder().decode(user.getSeed())),
    };
  }
  Object.assign(secrets.gateway!, {
    KEY_SECRET: random(),
    FLOTILLA_OPERATOR_KEY: randomKey('operator'),
    FLOTILLA_ADMIN_KEY: randomKey('member'),
  });
  return secrets;
}

function random(): string {
  return randomBytes(24).toString('hex');
}

function urlOf(base: string, user: string, password = ''): string {
  const url = new URL(base);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password);
  return url.href;
}
