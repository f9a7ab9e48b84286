import { Bench } from './bench.js';
import { machineFacts } from './machine.js';
import { benchOptions } from './options.js';
import { markdown, type Report, type SuiteReport } from './report.js';
import { saveResult } from './results-file.js';
import { type Suite } from './section.js';
import { SUITES } from './suites.js';

/** By then apps have collected their garbage, and their pools closed the connections that they need no more. */
const IDLE_MS = 90_000;

const options = benchOptions(process.argv.slice(2));
const suites = SUITES.filter(({ name }) => name.startsWith(options.only));
if (suites.length === 0) {
  throw new Error(`--only ${options.only} is none of ${SUITES.map(({ name }) => name).join(', ')}`);
}

const bench = await Bench.start(options);
let isInterrupted = false;
const interrupted = (): void => {
  isInterrupted = true;
  void bench.stop().finally(() => process.exit(130));
};
process.once('SIGINT', interrupted);
process.once('SIGTERM', interrupted);
try {
  const report: Report = {
    day: new Date().toISOString().slice(0, 10),
    what: options.only === '' ? 'all' : options.only.replace(/\/$/, '').replaceAll('/', '-'),
    machine: await machineFacts(bench),
    suites: suites.map(({ name }) => ({ name, state: 'to come', sections: [], seconds: 0, prepared_s: 0 })),
  };
  for (const [index, suite] of suites.entries()) {
    await runSuite(suite, report.suites[index]!, () => save(report));
  }
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  report.memory = await bench.resident();
  await save(report);
  console.log(markdown(report));
  process.exitCode = verdict(report);
} finally {
  await bench.stop();
}

function save(report: Report): Promise<void> {
  return saveResult(`${report.day}-${report.what}`, markdown(report));
}

/** A suite that fails is reported, and keeps none of the others from running. */
async function runSuite(suite: Suite, report: SuiteReport, save: () => Promise<void>): Promise<void> {
  console.error(suite.name);
  const startedAt = performance.now();
  const prepared_s = bench.prepared_s;
  const saveAs = (state: SuiteReport['state']): Promise<void> => {
    report.state = state;
    report.seconds = (performance.now() - startedAt) / 1_000;
    report.prepared_s = bench.prepared_s - prepared_s;
    return save();
  };
  try {
    await saveAs('under way');
    await bench.empty();
    for await (const section of suite.run(bench)) {
      report.sections.push(section);
      await saveAs('under way');
    }
    await saveAs('done');
  } catch (error) {
    // What fails because everything is being stopped says nothing of the suite.
    if (isInterrupted) throw error;
    console.error(error);
    report.error = error instanceof Error ? error.message : String(error);
    await saveAs('failed');
  } finally {
    await bench.stopContenders();
  }
}

/** 1 when a request failed, or a suite did. */
function verdict({ suites }: Report): number {
  const standings = suites.flatMap(({ sections }) => sections.flatMap((section) => section.standings));
  const failures = [
    ...suites.filter(({ state }) => state !== 'done').map(({ name, error }) => `${name}: ${error!}`),
    ...standings.filter(({ failed }) => failed > 0).map(({ name, failed }) => `${name}: ${failed} requests`),
  ];
  if (failures.length > 0) console.error(`Failed:\n${failures.join('\n')}`);
  return failures.length > 0 ? 1 : 0;
}
