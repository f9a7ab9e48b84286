import { Bench } from './bench.js';
import { Profiler, secondsByArea } from './cpu-profile.js';
import { differentPages } from './events/event-queries.js';
import { eventRequests, pageRequest } from './events/event-requests.js';
import { loadEvents, today } from './events/event-rows.js';
import { runLoad } from './load.js';
import { machineFacts } from './machine.js';
import { benchOptions } from './options.js';
import { table } from './report.js';
import { saveResult } from './results-file.js';

const APPS = ['gateway', 'activity-events'];
/** Of an app’s time. What is less is added up. */
const NAMED_SHARE = 0.02;
const WARM_UP_S = 3;
const ROWS = 10_000;

const options = benchOptions(process.argv.slice(2));
const sections: string[] = [];
let facts: string[] = [];
// A Flotilla for each: a process keeps the port of its inspector until it ends.
for (const app of APPS) {
  const bench = await Bench.start(options, { unbundled: true });
  try {
    facts = await machineFacts(bench);
    sections.push(...(await profiled(bench, app)));
  } finally {
    await bench.stop();
  }
}
const day = new Date().toISOString().slice(0, 10);
const text = [
  `# profile, ${day}`,
  `Written by \`npm run bench:profile\`: where two apps spend their time while ${options.connections} connections ask them, by V8’s own profiler, which takes some itself.`,
  facts.map((fact) => `- ${fact}`).join('\n'),
  ...sections,
  '',
].join('\n\n');
await saveResult(`${day}-profile`, text);
console.log(text);

async function profiled(bench: Bench, app: string): Promise<string[]> {
  const project = await bench.project('bench profile');
  await loadEvents(bench.database_url, project.id, { seed: 3, day: today(), count: ROWS });
  const { url, pids } = bench.flotilla;
  const { connections, seconds } = options;
  const loads = {
    'POST /v1/events': eventRequests(project),
    'GET /v1/events, a page of its own each': differentPages(today()).map((query) =>
      pageRequest(query, project),
    ),
  };
  const tables: string[] = [];
  const profiler = await Profiler.attach(pids[app]!);
  for (const [what, requests] of Object.entries(loads)) {
    const plan = { url, connections, seconds, requests };
    await runLoad({ ...plan, warm_up_s: WARM_UP_S });
    let calls = 0;
    const profile = await profiler.during(async () => {
      calls = (await runLoad({ ...plan, warm_up_s: 0 })).acknowledged;
    });
    tables.push(sectionOf(`${app}: ${what}, ${calls} times`, secondsByArea(profile), calls));
  }
  profiler.letGo();
  return tables;
}

function sectionOf(title: string, areas: Map<string, number>, calls: number): string {
  const all = [...areas.values()].reduce((sum, seconds) => sum + seconds, 0);
  const named = [...areas].filter(([, seconds]) => seconds >= NAMED_SHARE * all);
  const rest = all - named.reduce((sum, [, seconds]) => sum + seconds, 0);
  const rows = [...named, ['all else', rest] as const, ['together', all] as const];
  return [
    `## ${title}`,
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
