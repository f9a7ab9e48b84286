import { type Bar } from './bars.js';
import { LOAD_GENERATOR, together } from './cpu.js';
import { type Resident } from './memory.js';
import { type Standing } from './rounds.js';
import { type Section } from './section.js';
import { type Spread } from './statistics.js';

/** How far a suite has come. */
export interface SuiteReport {
  name: string;
  state: 'to come' | 'under way' | 'done' | 'failed';
  /** What it failed of. */
  error?: string;
  /** All those that were measured before it ended, however it did. */
  sections: Section[];
  seconds: number;
  /** Those of its seconds in which something was prepared. */
  prepared_s: number;
}

/** What a run has found so far. */
export interface Report {
  day: string;
  what: string;
  machine: string[];
  suites: SuiteReport[];
  /** Known when all suites are over. */
  memory?: { parts: (Resident & { name: string })[]; all: Resident };
}

const MEMORY_BAR_MB = 700;
const COLUMNS = ['gateway', 'nats-server', 'postgres'];
/** Of what all take together. */
const NAMED_SHARE = 0.05;

/** The report as Markdown, which is also what the terminal shows. */
export function markdown({ day, what, machine, suites, memory }: Report): string {
  const sections = suites.flatMap((suite) => suite.sections);
  return [
    `# ${what}, ${day}`,
    machine.map((fact) => `- ${fact}`).join('\n'),
    '## Bars',
    table(
      ['suite', 'measured', 'baseline', 'bar', 'result', ''],
      [...suites.flatMap(barRows), ...(memory ? [barRow('memory', memoryBar(memory.all))] : [])],
    ),
    ...growthText(sections),
    ...sections.flatMap(sectionText),
    ...(memory ? memoryText(memory) : []),
    '## Duration',
    table(
      ['suite', 'state', 'seconds', 'of them preparing'],
      suites.map(({ name, state, seconds, prepared_s }) => [
        name,
        state,
        seconds.toFixed(0),
        prepared_s.toFixed(0),
      ]),
    ),
    '',
  ].join('\n\n');
}

/** A suite that did not come to its end has not met what it never measured. */
function barRows({ name, state, error, sections }: SuiteReport): string[][] {
  const rows = sections.flatMap(({ bars }) => bars.map((bar) => barRow(name, bar)));
  if (state === 'done') return rows;
  return [...rows, [name, 'the suite to its end', '', '', error ?? '', `**${state}**`]];
}

function barRow(suite: string, { what, baseline, promise, result, met }: Bar): string[] {
  return [suite, what, baseline, promise, result, met ? 'pass' : '**miss**'];
}

function memoryBar({ pss_mb }: Resident): Bar {
  return {
    what: 'resident memory of all processes when idle after the run',
    baseline: '',
    promise: `≤ ${MEMORY_BAR_MB} MB`,
    result: `${pss_mb.toFixed(0)} MB`,
    met: pss_mb > 0 && pss_mb <= MEMORY_BAR_MB,
  };
}

function sectionText({ title, method, standings }: Section): string[] {
  return [`## ${title}`, method, standingsTable(standings), ...cpuText(standings)];
}

/** Each request with more and more rows: how often, and the processor time of all processes together. */
function growthText(sections: Section[]): string[] {
  const points = sections.flatMap(({ rows, standings }) =>
    rows === undefined ? [] : standings.map((standing) => ({ rows, standing })),
  );
  if (points.length === 0) return [];
  const sizes = [...new Set(points.map(({ rows }) => rows))];
  const requests = Map.groupBy(points, ({ standing }) => standing.name);
  return [
    '## Growth',
    'Requests a second, and the processor time of one, all processes of Flotilla together; the last size to the first.',
    table(
      ['request', ...sizes.map((rows) => `${rows} rows`), 'rate', 'processor'],
      [...requests].map(([name, at]) => {
        const cells = sizes.map((size) => costOf(at.find(({ rows }) => rows === size)?.standing));
        const [first, last] = [at[0]!.standing, at.at(-1)!.standing];
        const rate = last.rate.median / first.rate.median;
        const cpu = together(last.cpu_us) / together(first.cpu_us);
        return [name, ...cells, ...[rate, cpu].map((ratio) => (ratio ? `${ratio.toFixed(2)} ×` : ''))];
      }),
    ),
  ];
}

function costOf(standing: Standing | undefined): string {
  if (!standing) return '';
  const { rate, cpu_us } = standing;
  const cpu = cpu_us.size > 0 ? `, ${together(cpu_us).toFixed(0)} µs` : '';
  return `${rate.median.toFixed(0)}/s${cpu}`;
}

/** Ratios are to the first contender of the section. */
function standingsTable(standings: Standing[]): string {
  const first = standings[0]!.rate.median;
  return table(
    ['contender', 'median/s', 'min–max/s', 'to the first', 'p50 ms', 'p99 ms', 'failed'],
    standings.map(({ name, rate, p50_ms, p99_ms, failed }) => [
      name,
      rate.median.toFixed(0),
      range(rate),
      (rate.median / first).toFixed(2),
      p50_ms.median.toFixed(2),
      p99_ms.median.toFixed(2),
      String(failed),
    ]),
  );
}

/** Whoever idles beside the others is added up; the servers and the gateway have their columns anyway. */
function cpuText(standings: Standing[]): string[] {
  const names = [...new Set(standings.flatMap(({ cpu_us }) => [...cpu_us.keys()]))].filter(
    (name) => name !== LOAD_GENERATOR,
  );
  if (names.length === 0) return [];
  const isNamed = (name: string): boolean =>
    COLUMNS.includes(name) ||
    standings.some(({ cpu_us }) => (cpu_us.get(name) ?? 0) >= NAMED_SHARE * together(cpu_us));
  const named = names.filter(isNamed);
  const others = names.filter((name) => !isNamed(name));
  return [
    'Processor time of a request by process, in µs:',
    table(
      ['contender', ...named, 'others', 'together', LOAD_GENERATOR],
      standings.map(({ name, cpu_us }) => {
        const of = (process: string): number => cpu_us.get(process) ?? 0;
        const rest = others.reduce((sum, other) => sum + of(other), 0);
        const times = [...named.map(of), rest, together(cpu_us), of(LOAD_GENERATOR)];
        return [name, ...times.map((time) => time.toFixed(0))];
      }),
    ),
  ];
}

function memoryText({ parts, all }: NonNullable<Report['memory']>): string[] {
  return [
    '## Resident memory when idle after the run',
    'Of Flotilla’s own processes and the servers they use; pages that processes share are split among them (PSS).',
    table(
      ['process', 'PSS, MB', 'RSS, MB'],
      [...parts, { name: 'together', ...all }].map(({ name, pss_mb, rss_mb }) => [
        name,
        pss_mb.toFixed(0),
        rss_mb.toFixed(0),
      ]),
    ),
  ];
}

function range({ min, max }: Spread): string {
  return `${min.toFixed(0)}–${max.toFixed(0)}`;
}

/** Columns as wide as their widest cell; all but the first to the right. */
export function table(head: string[], rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ')));
  const widths = head.map((title, column) =>
    Math.max(title.length, 4, ...cells.map((row) => row[column]!.length)),
  );
  const line = (row: string[]): string =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...cells.map(line)].join('\n');
}
