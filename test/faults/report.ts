import { execFileSync } from 'node:child_process';
import { cpus, totalmem } from 'node:os';
import { memoryText, type Overload } from './overload.js';
import { type FaultOptions } from './options.js';
import { type Verdict } from './run.js';
import { type Struck } from './fault.js';
import { type Bite } from './teeth.js';

/** Of each check's violations. */
const SHOWN = 20;

/** What a reader needs to know before the figures. */
export function headOf({ tier, part, seed, teeth, untimed, only }: FaultOptions): string {
  const day = new Date().toISOString().slice(0, 10);
  const memory_gb = Math.round(totalmem() / 2 ** 30);
  const flags = [
    ...(tier === 'full' ? ['--full'] : []),
    ...(part ? [`--part ${part}`] : []),
    ...(teeth ? ['--teeth'] : []),
    ...(untimed ? ['--untimed'] : []),
    ...only.map((name) => `--only "${name}"`),
  ];
  return [
    `# ${teeth ? 'Teeth' : `Faults, ${tier} tier`}, ${day}`,
    `\`npm run test:faults -- ${[...flags, `--seed ${seed}`].join(' ')}\` of ${tree()}, on ${cpus().length} × ` +
      `${cpus()[0]!.model.trim()}, ${memory_gb} GB, Node ${process.version}.`,
  ].join('\n\n');
}

/** Which one runs here, with what is not committed yet. */
function tree(): string {
  try {
    const named = execFileSync('git', ['describe', '--always', '--dirty', '--exclude=*'], {
      cwd: import.meta.dirname,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return `commit ${named.trim()}`;
  } catch {
    return 'a tree without git';
  }
}

/** What one part of a run came to, as Markdown, which is also what the terminal shows. */
export function sectionOf(name: string, verdict: Verdict, skipped: number): string {
  const { struck, findings, overloads } = verdict;
  return [
    `## ${name}`,
    totalsOf(verdict),
    ...(skipped > 0
      ? [
          `**${skipped} faults were SKIPPED**: they need file systems of their own, and none can be mounted here.`,
        ]
      : []),
    recoveries(struck),
    ...(overloads.length > 0 ? [overloadTable(overloads)] : []),
    table(
      ['check', 'violations'],
      findings.map(({ check, violations }) => [check, String(violations.length)]),
    ),
    ...findings.flatMap(({ check, violations }) =>
      violations.length > 0
        ? [
            `### ${check}`,
            violations
              .slice(0, SHOWN)
              .map((one) => `- ${one}`)
              .join('\n'),
          ]
        : [],
    ),
  ].join('\n\n');
}

export function teethTable(bites: readonly Bite[]): string {
  return table(
    ['rule broken on purpose', 'outcome', 'by'],
    bites.map(({ name, outcome, by }) => [name, outcome, by]),
  );
}

function totalsOf(verdict: Verdict): string {
  const { struck, settled, overloads, findings, acknowledged, failed, given_up, seconds } = verdict;
  const count = (...checks: string[]): number =>
    findings
      .filter(({ check }) => checks.includes(check))
      .reduce((sum, { violations }) => sum + violations.length, 0);
  const faults = struck.length + overloads.length;
  const bound = (300 / faults).toFixed(1);
  return (
    `**${faults} faults, ${acknowledged} acknowledged writes, ${count('C1 lost', 'C1 lost in an overload', 'C2 lost on the way')} lost, ` +
    `${count('C2 duplicated', 'C2 repeated on the way')} duplicated, ${count('C3 gaps', 'C3 reordered', 'C3 reordered on the way')} reordered**, in ` +
    `${(seconds / 60).toFixed(1)} minutes. No failure in ${faults} faults bounds the rate of failures at 3/${faults} = ${bound} % ` +
    `a fault. ${failed} sendings failed and were repeated, ${given_up} writes were given up. ` +
    (settled.took_ms === undefined
      ? 'The feeds never had all.'
      : `The feeds, the streams and the audit had all ${(settled.took_ms / 1_000).toFixed(1)} s after the last write.`)
  );
}

function recoveries(struck: readonly Struck[]): string {
  const inSeconds = (ms: number | undefined): string => (ms === undefined ? '–' : (ms / 1_000).toFixed(1));
  const rows = [...Map.groupBy(struck, ({ row }) => row)].map(([row, faults]) => {
    const middleAndEnd = (times: number[]): string[] => {
      times.sort((one, other) => one - other);
      return [inSeconds(times[times.length >> 1]), inSeconds(times.at(-1))];
    };
    return [
      ...[row, String(faults.length)],
      ...middleAndEnd(faults.flatMap(({ recovered_ms }) => recovered_ms ?? [])),
      ...middleAndEnd(faults.flatMap(({ caught_up_ms }) => caught_up_ms ?? [])),
    ];
  });
  return table(
    ['fault', 'times', 'median recovery, s', 'longest, s', 'feeds, median, s', 'feeds, longest, s'],
    rows,
  );
}

function overloadTable(overloads: readonly Overload[]): string {
  const figures = table(
    ['overload', 'peak/s', 'accepted/s', 'refused', 'p99 of the accepted, ms'],
    overloads.map(({ name, peak, goodput, refused, p99_ms }) => [
      name,
      ...[peak, goodput, refused, p99_ms].map((figure) => figure.toFixed(0)),
    ]),
  );
  const memory = overloads.map((overload) => `- ${overload.name}: ${memoryText(overload)}`);
  return [figures, memory.join('\n')].join('\n\n');
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
