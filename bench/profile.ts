import { Bench } from './bench.js';
import { profileOf, secondsByArea } from './cpu-profile.js';
import { eventRequests } from './events/event-requests.js';
import { runLoad } from './load.js';
import { machineFacts } from './machine.js';
import { benchOptions } from './options.js';
import { table } from './report.js';
import { saveResult } from './results-file.js';

const APPS = ['gateway', 'activity-events'];
/** Of an app’s time. What is less is added up. */
const NAMED_SHARE = 0.02;
const WARM_UP_S = 3;

const options = benchOptions(process.argv.slice(2));
const bench = await Bench.start(options);
try {
  const project = await bench.project('bench profile');
  const { connections, seconds } = options;
  const plan = { url: bench.flotilla.url, connections, seconds, requests: eventRequests(project) };
  await runLoad({ ...plan, warm_up_s: WARM_UP_S });
  const sections: string[] = [];
  for (const app of APPS) {
    let calls = 0;
    const profile = await profileOf(bench.flotilla.pids[app]!, async () => {
      calls = (await runLoad({ ...plan, warm_up_s: 0 })).acknowledged;
    });
    sections.push(sectionOf(app, secondsByArea(profile), calls));
    await bench.rest();
  }
  const day = new Date().toISOString().slice(0, 10);
  const facts = await machineFacts(bench);
  const text = [
    `# profile, ${day}`,
    `Written by \`npm run bench:profile\`: where two apps spend their time while \`POST /v1/events\` is asked by ${connections} connections, by V8’s own profiler, which costs some of it itself.`,
    facts.map((fact) => `- ${fact}`).join('\n'),
    ...sections,
    '',
  ].join('\n\n');
  await saveResult(`${day}-profile`, text);
  console.log(text);
} finally {
  await bench.stop();
}

function sectionOf(app: string, areas: Map<string, number>, calls: number): string {
  const all = [...areas.values()].reduce((sum, seconds) => sum + seconds, 0);
  const named = [...areas].filter(([, seconds]) => seconds >= NAMED_SHARE * all);
  const rest = all - named.reduce((sum, [, seconds]) => sum + seconds, 0);
  const rows = [...named, ['all else', rest] as const, ['together', all] as const];
  return [
    `## ${app}, ${calls} requests`,
    table(
      ['itself at work', 'share', 'µs a request'],
      rows.map(([area, seconds]) => [
        area,
        `${((100 * seconds) / all).toFixed(1)} %`,
        ((seconds * 1e6) / calls).toFixed(1),
      ]),
    ),
  ].join('\n\n');
}
