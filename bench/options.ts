import { parseArgs } from 'node:util';

const SMALLEST = 10_000;

/** What `npm run bench -- …` may be told. */
export interface BenchOptions {
  rounds: number;
  /** Length of a contender's turn, after its warm-up. */
  seconds: number;
  connections: number;
  /** Rows of the large project that is read from; the small one has 10,000. */
  rows: number;
  /** Entries of the timeline that is read from. */
  entries: number;
  /** Rows that every table holds before the first write. */
  preload: number;
  /** Rows at which the cost of requests is looked at, ascending. */
  growth: number[];
  /** Only suites whose name begins so. */
  only: string;
}

export function benchOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '2' },
      connections: { type: 'string', default: '64' },
      rows: { type: 'string', default: '1000000' },
      entries: { type: 'string', default: '10000000' },
      preload: { type: 'string', default: '100000' },
      growth: { type: 'string', default: '10000,100000,1000000,10000000' },
      only: { type: 'string', default: '' },
    },
  });
  return {
    rounds: wholeNumber('rounds', values.rounds),
    seconds: wholeNumber('seconds', values.seconds),
    connections: wholeNumber('connections', values.connections),
    rows: wholeNumber('rows', values.rows),
    entries: wholeNumber('entries', values.entries),
    preload: wholeNumber('preload', values.preload),
    growth: sizes(values.growth),
    only: values.only,
  };
}

/** Ascending; from that on of which the requests of each suite are spread over all rows. */
function sizes(text: string): number[] {
  const list = text.split(',').map((size) => wholeNumber('growth', size));
  const isAscending = list.every((size, index) => size > (list[index - 1] ?? SMALLEST - 1));
  if (!isAscending) throw new Error(`--growth must be ascending numbers from ${SMALLEST} on, not ${text}`);
  return list;
}

/** @throws an Error that names the flag */
export function wholeNumber(flag: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new Error(`--${flag} must be a whole number from 1 on, not ${text}`);
  return Number(text);
}
