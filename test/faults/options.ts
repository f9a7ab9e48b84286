import { parseArgs } from 'node:util';
import { wholeNumber } from '../../bench/options.js';
import { type Tier } from './schedule.js';

/** What `npm run test:faults -- …` may be told. */
export interface FaultOptions {
  tier: Tier;
  /** Replays a run: the same writes, the same faults in the same order. */
  seed: number;
  /** Where the report goes, beside the terminal. */
  report?: string;
  /** Only this part of the tier. */
  part?: string;
  /** Only the teeth: whether each broken rule is caught. */
  teeth: boolean;
  /** The machine does other things too: what comes late is told, and not held against the run. */
  untimed: boolean;
  /** Only faults, or teeth, whose name holds one of these, or `overload`; for looking into some of them. */
  only: readonly string[];
}

export function faultOptions(args: string[]): FaultOptions {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'boolean', default: false },
      seed: { type: 'string' },
      report: { type: 'string' },
      part: { type: 'string' },
      teeth: { type: 'boolean', default: false },
      untimed: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  return {
    tier: values.full ? 'full' : 'quick',
    seed:
      values.seed === undefined ? 1 + Math.floor(Math.random() * 999_999) : wholeNumber('seed', values.seed),
    report: values.report,
    part: values.part,
    teeth: values.teeth,
    untimed: values.untimed,
    only: values.only,
  };
}

/** @throws an Error when one of those that are wanted is part of no name: what tests nothing must not pass */
export function expectNamed(names: readonly string[], only: FaultOptions['only']): void {
  const unknown = only.filter((part) => !names.some((name) => isWanted(name, [part])));
  if (unknown.length > 0)
    throw new Error(`--only ${unknown.join(', ')} is part of none of ${names.join(', ')}`);
}

/** Whether a fault or a tooth of this name is among those that are wanted; all are unless some are named. */
export function isWanted(name: string, only: FaultOptions['only']): boolean {
  return only.length === 0 || only.some((part) => name.includes(part));
}
