import { type Tier } from './schedule.js';
import { type Bite } from './teeth.js';
import { type Verdict } from './run.js';

const SHOWN = 20;

export interface ReportOf {
  tier: Tier;
  seed: number;
  day: string;
  machine: string;
  verdict: Verdict;
  skipped: number;
}

/** What a run came to, as Markdown, which is also what the terminal shows. */
export function markdown({ tier, seed, day, machine, verdict, skipped }: ReportOf): string {
  const { struck, acknowledged, given_up, failed, seconds, findings, overloads } = verdict;
  const count = (...checks: string[]): number =>
    findings
      .filter(({ check }) => checks.includes(check))
      .reduce((sum, { violations }) => sum + violations.length, 0);
  const rows = [...Map.groupBy(struck, ({ row }) => row)].map(([row, faults]) => {
    const times = faults.flatMap(({ recovered_ms }) => recovered_ms ?? []).sort((one, other) => one - other);
    const seconds = (ms: number | undefined): string => (ms === undefined ? '–' : (ms / 1_000).toFixed(1));
    return [row, String(faults.length), seconds(times[times.length >> 1]), seconds(times.at(-1))];
  });
  const faults = struck.length + overloads.length;
  return [
    `# Faults, ${tier} tier, ${day}`,
    `Seed ${seed}: \`npm run test:faults --${tier === 'full' ? ' --full' : ''} --seed ${seed}\` replays it. ${machine}.`,
    `**${faults} faults, ${acknowledged} acknowledged writes, ${count('C1 lost')} lost, ${count('C2 duplicated')} duplicated, ` +
      `${count('C3 gaps', 'C3 reordered')} reordered**, in ${(seconds / 60).toFixed(1)} minutes. No failure in ${faults} faults bounds the ` +
      `rate of failures at 3/${faults} = ${(300 / faults).toFixed(1)} % a fault (95 %). ${failed} sendings failed and were repeated, ${given_up} writes were given up.`,
    ...(skipped > 0
      ? [
          `**${skipped} faults were SKIPPED**: they need file systems of their own, and none can be mounted here.`,
        ]
      : []),
    table(['fault', 'times', 'median recovery, s', 'longest, s'], rows),
    ...(overloads.length > 0
      ? [
          table(
            ['overload', 'peak/s', 'accepted/s', 'refused', 'p99 of the accepted, ms'],
            overloads.map(({ name, peak, goodput, refused, p99_ms }) => [
              name,
              peak.toFixed(0),
              goodput.toFixed(0),
              String(refused),
              p99_ms.toFixed(0),
            ]),
          ),
          overloads.map(({ name, memory }) => `- ${name}: ${memory}`).join('\n'),
        ]
      : []),
    table(
      ['check', 'violations'],
      findings.map(({ check, violations }) => [check, String(violations.length)]),
    ),
    ...findings.flatMap(({ check, violations }) => [
      ...(violations.length > 0
        ? [
            `## ${check}`,
            violations
              .slice(0, SHOWN)
              .map((one) => `- ${one}`)
              .join('\n'),
          ]
        : []),
    ]),
    '',
  ].join('\n\n');
}

export function teethTable(bites: readonly Bite[]): string {
  return table(
    ['rule broken on purpose', 'outcome', 'by'],
    bites.map(({ name, outcome, by }) => [name, outcome, by]),
  );
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
