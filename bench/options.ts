import { parseArgs } from 'node:util';

/** What `npm run bench -- …` may be told. */
export interface BenchOptions {
  rounds: number;
  /** Length of a contender's turn, after its warm-up. */
  seconds: number;
  connections: number;
  /** Rows of the large project that is read from; the small one has 10,000. */
  rows: number;
  /** Rows that every table holds before the first write. */
  preload: number;
  /** Only suites whose name begins so. */
  only: string;
}

export function benchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '5' },
      connections: { type: 'string', default: '64' },
      rows: { type: 'string', default: '1000000' },
      preload: { type: 'string', default: '100000' },
      only: { type: 'string', default: '' },
    },
  });
  return {
    rounds: wholeNumber('rounds', values.rounds),
    seconds: wholeNumber('seconds', values.seconds),
    connections: wholeNumber('connections', values.connections),
    rows: wholeNumber('rows', values.rows),
    preload: wholeNumber('preload', values.preload),
    only: values.only,
  };
}

/** @throws an Error that names the flag */
export function wholeNumber(flag: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Error(`--${flag} must be a whole number from 1 on, not ${text}`);
  return Number(text);
}
