import { type Bar } from './bars.js';
import { type Resident } from './memory.js';
import { type Standing } from './rounds.js';
import { type Section } from './section.js';
import { type Spread } from './statistics.js';

export interface Report {
  day: string;
  what: string;
  machine: string[];
  sections: Section[];
  memory: { parts: (Resident & { name: string })[]; all: Resident };
  memoryBar: Bar;
}

/** The report as Markdown, which is also what the terminal shows. */
export function markdown({ day, what, machine, sections, memory, memoryBar }: Report): string {
  const bars = [...sections.flatMap((section) => section.bars), memoryBar];
  return [
    `# ${what}, ${day}`,
    machine.map((fact) => `- ${fact}`).join('\n'),
    '## Bars',
    table(
      ['promise', 'measured', ''],
      bars.map(({ promise, measured, met }) => [promise, measured, met ? 'pass' : '**miss**']),
    ),
    ...sections.flatMap(({ title, method, standings }) => [`## ${title}`, method, standingsTable(standings)]),
    '## Resident memory when idle after the run',
    'Of Flotilla’s own processes and the servers they use; pages that processes share are split among them (PSS).',
    table(
      ['process', 'PSS, MB', 'RSS, MB'],
      [...memory.parts, { name: 'together', ...memory.all }].map(({ name, pss_mb, rss_mb }) => [
        name,
        pss_mb.toFixed(0),
        rss_mb.toFixed(0),
      ]),
    ),
    '',
  ].join('\n\n');
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

function range({ min, max }: Spread): string {
  return `${min.toFixed(0)}–${max.toFixed(0)}`;
}

/** Columns as wide as their widest cell; all but the first to the right. */
function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, 4, ...rows.map((row) => row[column]!.length)),
  );
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}
