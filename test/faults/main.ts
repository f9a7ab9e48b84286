import { Random } from '../../bench/random.js';
import { faultOptions } from './options.js';
import { Run } from './run.js';
import { schedule } from './schedule.js';

const options = faultOptions(process.argv.slice(2));
const tell = (line: string): void => console.error(line);
tell(`seed ${options.seed}`);
const run = await Run.start({ seed: options.seed, rate: 60, tell });
const faults = schedule(options.tier, new Random(options.seed)).filter(
  ({ name }) => !options.only || name.includes(options.only),
);
await run.strike(faults);
const verdict = await run.judge();
for (const { check, violations } of verdict.findings) {
  console.log(`${check}: ${violations.length}`);
  for (const violation of violations.slice(0, 5)) console.log(`   ${violation}`);
}
console.log(
  `${verdict.acknowledged} acknowledged, ${verdict.given_up} given up, ${verdict.failed} failed sendings, ${verdict.struck.length} faults, ${verdict.seconds.toFixed(0)} s`,
);
