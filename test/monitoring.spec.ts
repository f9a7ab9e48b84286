import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { load } from 'js-yaml';
import { parser } from '@prometheus-io/lezer-promql';
import { LOOP_SAMPLE_MS } from '#service';
import { APPS, ROOT } from './apps.js';
import { startSystem, type System } from './system.js';

const read = (path: string): Promise<string> => readFile(join(ROOT, path), 'utf8');

interface Query {
  place: string;
  expr: string;
}

const dashboard = JSON.parse(await read('k8s/monitoring/dashboard.json'));
const alerts = (load(await read('k8s/monitoring/alerts.yaml')) as any).spec.groups.flatMap(
  ({ rules }: any) => rules,
) as { alert: string; expr: string; labels: { severity: string }; annotations: { summary: string } }[];
const panels = dashboard.panels.filter(({ type }: any) => type !== 'row');
const QUERIES: Query[] = [
  ...panels.flatMap(({ title, targets }: any) =>
    // Grafana fills in its variables before Prometheus sees them.
    targets.map(({ expr }: any) => ({ place: title, expr: expr.replaceAll('$namespace', 'flotilla') })),
  ),
  ...alerts.map(({ alert, expr }) => ({ place: alert, expr })),
];

/** The parts of a query that are of one of these kinds of the grammar. */
function partsOf(expr: string, ...kinds: string[]): string[] {
  const found: string[] = [];
  parser.parse(expr).iterate({
    enter: ({ name, from, to }) => {
      if (kinds.includes(name)) found.push(expr.slice(from, to));
    },
  });
  return found;
}

/** Of the target, by Prometheus and the PodMonitor; and of the answer to `histogram_quantile`. */
const TARGET_LABELS = ['app', 'pod', 'namespace', 'le'];

describe('what is watched', () => {
  let system: System;
  let archive: string;
  /** Each metric that any app exposes, with the labels that its samples have. */
  const exposed = new Map<string, Set<string>>();
  const metricsOf = async ({ health_port }: { health_port: number }): Promise<string> =>
    (await fetch(`http://127.0.0.1:${health_port}/metrics`)).text();

  beforeAll(async () => {
    archive = await mkdtemp(join(tmpdir(), 'flotilla-archive-'));
    system = await startSystem({ PRICING_ARCHIVE_DIR: archive });
    const { admin } = system;
    await Promise.all(['/v1/events', '/v1/devices', '/v1/me', '/v1/nothing'].map((path) => admin.get(path)));
    const running = [system.gateway, system.activityEvents, system.deviceState, system.firmware];
    for (const app of [...running, system.messages, system.pricing]) {
      const text = await metricsOf(app);
      for (const [, name, labels] of text.matchAll(/^(?:# TYPE )?(flotilla_\w+)(?:\{(.*?)\})?/gm)) {
        const known = exposed.get(name!) ?? new Set();
        exposed.set(name!, known);
        for (const [, label] of (labels ?? '').matchAll(/(\w+)="/g)) known.add(label!);
      }
    }
  });
  afterAll(async () => {
    await system.stop();
    await rm(archive, { recursive: true });
  });

  it.each(QUERIES)('is written in PromQL: $place', ({ expr }) => {
    expect(partsOf(expr, '⚠')).toEqual([]);
    expect(partsOf(expr, 'VectorSelector')).not.toEqual([]);
  });

  it.each(QUERIES)('is measured by an app: $place', ({ expr }) => {
    const selectors = partsOf(expr, 'VectorSelector');
    const labels = new Set(TARGET_LABELS);
    for (const selector of selectors) {
      const [name] = partsOf(selector, 'Identifier');
      expect([...exposed.keys()]).toContain(name);
      for (const label of exposed.get(name!)!) labels.add(label);
    }
    for (const label of partsOf(expr, 'LabelName')) expect([...labels]).toContain(label);
  });

  it('says of the event loop how far it is behind, without the time between two samples', async () => {
    const lags = QUERIES.filter(({ expr }) => expr.includes('eventloop_lag'));
    expect(lags.length).toBeGreaterThan(1);
    for (const { expr } of lags)
      expect(expr).toMatch(new RegExp(`_seconds(\\{.*\\})? - ${LOOP_SAMPLE_MS / 1_000}( |$)`));
    // Which is in what is exposed: of an idle gateway, it is all of it.
    await metricsOf(system.gateway);
    await setTimeout(10 * LOOP_SAMPLE_MS);
    const text = await metricsOf(system.gateway);
    const [, mean_s] = /^flotilla_nodejs_eventloop_lag_mean_seconds (\S+)$/m.exec(text)!;
    expect(Number(mean_s)).toBeGreaterThan((0.9 * LOOP_SAMPLE_MS) / 1_000);
  });

  it('counts each call with its outcome at the service, and its wait at the gateway', async () => {
    const gateway = await metricsOf(system.gateway);
    await system.admin.get('/v1/prices/none');
    const counted = await metricsOf(system.pricing);
    const subject = /flotilla_bus_handled_calls_total{subject="(.+)",outcome="not_found"} 1/.exec(
      counted,
    )?.[1];
    expect(subject).toMatch(/^pricing\./);
    expect(counted).toContain(`flotilla_bus_frame_calls_count{subject="${subject!}"} 1`);
    expect(counted).toContain(`flotilla_bus_handler_seconds_count{subject="${subject!}"} 1`);
    expect(gateway).not.toContain(`flotilla_bus_frame_wait_seconds_count{subject="${subject!}"}`);
    expect(await metricsOf(system.gateway)).toContain(
      `flotilla_bus_frame_wait_seconds_count{subject="${subject!}"} 1`,
    );
  });

  it('misses no app that is gone', () => {
    const { expr } = alerts.find(({ alert }) => alert === 'FlotillaAppGone')!;
    const watched = [...expr.matchAll(/app="([\w-]+)"/g)].map(([, app]) => app);
    expect(watched.sort()).toEqual(APPS);
  });

  it('is explained: each alert has its heading in docs/operations.md', async () => {
    const headings = [...(await read('docs/operations.md')).matchAll(/^#+ (Flotilla[A-Z]\w+)$/gm)];
    expect(headings.map(([, name]) => name).sort()).toEqual(alerts.map(({ alert }) => alert).sort());
  });

  it('says how bad it is, and what is the matter', () => {
    for (const { labels, annotations } of alerts) {
      expect(['critical', 'warning', 'info']).toContain(labels.severity);
      expect(annotations.summary).not.toBe('');
    }
    expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  });

  it('has a place of its own on the dashboard, each panel', () => {
    expect(new Set(dashboard.panels.map(({ id }: any) => id)).size).toBe(dashboard.panels.length);
    const places = dashboard.panels.map(({ gridPos: { x, y } }: any) => `${x},${y}`);
    expect(new Set(places).size).toBe(places.length);
  });
});
