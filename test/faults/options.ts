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
  /** Only the teeth: whether each broken rule is caught. */
  teeth: boolean;
  /** The machine does other things too: what comes late is told, and not held against the run. */
  untimed: boolean;
  /** Only faults, or teeth, whose name holds this, or `overload`; for looking into one of them. */
  only: string;
}

export function faultOptions(args: string[]): FaultOptions {
  const { values } = parseArgs({
    args,
    options: {
      full: { type: 'boolean', default: false },
      seed: { type: 'string' },
      report: { type: 'string' },
      teeth: { type: 'boolean', default: false },
      untimed: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
    },
  });
  return {
    tier: values.full ? 'full' : 'quick',
    seed:
      values.seed === undefined ? 1 + Math.floor(Math.random() * 999_999) : wholeNumber('seed', values.seed),
    report: values.report,
    teeth: values.teeth,
    untimed: values.untimed,
    only: values.only,
  };
}
