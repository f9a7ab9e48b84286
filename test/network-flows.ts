import { type Manifest } from './kustomize.js';

/** A pod: one of the namespace whose policies are asked, or, with a namespace, one of another. */
export interface Peer {
  name: string;
  namespace?: string;
  labels: Record<string, string>;
}

interface Selector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values: string[] }[];
}

interface PeerRule {
  podSelector?: Selector;
  namespaceSelector?: Selector;
}

/**
 * Every connection that NetworkPolicies allow, as `from → to:port`, sorted: by the rules of Kubernetes, where a pod
 * that any policy selects may do only what some policy allows, at both ends. Other namespaces have no policies.
 */
export function allowedFlows(
  policies: Manifest[],
  inside: Peer[],
  outside: Peer[],
  ports: number[],
): string[] {
  const all = [...inside, ...outside];
  const pairs = all.flatMap((from) => all.map((to) => ({ from, to })));
  return pairs
    .filter(({ from, to }) => from.namespace === undefined || to.namespace === undefined)
    .flatMap(({ from, to }) =>
      ports
        .filter(
          (port) => allows(policies, 'Egress', from, to, port) && allows(policies, 'Ingress', to, from, port),
        )
        .map((port) => `${from.name} → ${to.name}:${port}`),
    )
    .sort();
}

function allows(
  policies: Manifest[],
  type: 'Egress' | 'Ingress',
  pod: Peer,
  other: Peer,
  port: number,
): boolean {
  if (pod.namespace !== undefined) return true;
  const own = policies.filter(
    ({ spec }) => spec.policyTypes.includes(type) && selects(spec.podSelector, pod.labels),
  );
  const rules: any[] = own.flatMap(({ spec }) => spec[type.toLowerCase()] ?? []);
  const isAllowed = (rule: any): boolean => {
    const peers = rule[type === 'Egress' ? 'to' : 'from'] as PeerRule[] | undefined;
    const isPeer = !peers || peers.some((peer) => isMeant(peer, other));
    return isPeer && (!rule.ports || rule.ports.some((one: { port: number }) => one.port === port));
  };
  return own.length === 0 || rules.some(isAllowed);
}

function isMeant({ podSelector, namespaceSelector }: PeerRule, { namespace, labels }: Peer): boolean {
  const isNamespace = namespaceSelector
    ? namespace !== undefined && selects(namespaceSelector, { 'kubernetes.io/metadata.name': namespace })
    : namespace === undefined;
  return isNamespace && (!podSelector || selects(podSelector, labels));
}

function selects(
  { matchLabels = {}, matchExpressions = [] }: Selector,
  labels: Record<string, string>,
): boolean {
  for (const { operator } of matchExpressions)
    if (operator !== 'In') throw new Error(`${operator} is not known here`);
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(({ key, values }) => values.includes(labels[key] ?? ''))
  );
}
