import { p50AtMost } from '../bars.js';
import { type Bench } from '../bench.js';
import { runLoad, type LoadRequest } from '../load.js';
import { addMember } from '../members.js';
import { alternate } from '../rounds.js';
import { type Section, type Suite } from '../section.js';
import { DAYS, loadEntries } from './entry-rows.js';

const WARM_UP_S = 1;
const PAGE_BAR_MS = 30;
const DAY_MS = 86_400_000;
const TOGETHER = ['the newest page', 'the newest page of a viewer', 'a device'];

interface Question {
  name: string;
  path: string;
  key: string;
}

/** Pages of 100 of timelines, of a project of `--entries` entries of all kinds. */
export const timelineReads: Suite = {
  name: 'timeline/reads',
  async *run(bench) {
    const project = await bench.project('bench timeline');
    const member = await addMember(bench, project, 'viewer@example.com', 'viewer');
    const { entries } = bench.options;
    await bench.prepare(`${entries} entries`, () =>
      loadEntries(bench.database_url, project.id, `member ${member.id}`, entries),
    );
    const questions = await questionsOf(bench.flotilla.url, project.key, member.key);
    yield await aloneSection(bench, questions, entries);
    yield await togetherSection(bench, questions, entries);
  },
};

async function questionsOf(url: string, admin: string, viewer: string): Promise<Question[]> {
  const middle = new Date(Date.now() - (DAYS / 2) * DAY_MS).toISOString();
  const week_before = new Date(Date.parse(middle) - 7 * DAY_MS).toISOString();
  const project = '/v1/timeline?limit=100';
  const device = '/v1/devices/pump%207/timeline?limit=100';
  const deep = async (path: string): Promise<string> => `${path}&cursor=${await cursorOf(url, path, admin)}`;
  return [
    { name: 'the newest page', path: project, key: admin },
    { name: 'the oldest page', path: `${project}&order=asc`, key: admin },
    { name: 'a page in the middle', path: await deep(`${project}&to=${middle}`), key: admin },
    { name: 'a page of a week', path: await deep(`${project}&from=${week_before}&to=${middle}`), key: admin },
    { name: 'the newest page of a viewer', path: project, key: viewer },
    { name: 'a device', path: device, key: admin },
    { name: 'a page in the middle of a device', path: await deep(`${device}&to=${middle}`), key: admin },
    { name: 'a device and a week', path: `${device}&from=${week_before}&to=${middle}`, key: admin },
    { name: 'a device, for a viewer', path: device, key: viewer },
  ];
}

/** One connection: how long a page takes. */
async function aloneSection(bench: Bench, questions: Question[], entries: number): Promise<Section> {
  const standings = await standingsOf(bench, questions, 1);
  const bars = standings.map((standing) =>
    p50AtMost(`GET /v1/timeline, ${entries} entries, ${standing.name}`, PAGE_BAR_MS, standing),
  );
  const method = `One connection, closed loop, pages of 100 out of ${entries} entries of five kinds in ${DAYS} days.`;
  return { title: 'GET /v1/timeline, one call alone', method, standings, bars };
}

async function togetherSection(bench: Bench, questions: Question[], entries: number): Promise<Section> {
  const { connections } = bench.options;
  const some = questions.filter(({ name }) => TOGETHER.includes(name));
  const standings = await standingsOf(bench, some, connections);
  const method = `Closed loop, ${connections} connections, pages of 100 out of the same ${entries} entries; the callers of a page have one key and share answers.`;
  return { title: 'GET /v1/timeline, many at once', method, standings, bars: [] };
}

function standingsOf(bench: Bench, questions: Question[], connections: number): ReturnType<typeof alternate> {
  const { seconds } = bench.options;
  const { url } = bench.flotilla;
  const contenders = questions.map((question) => ({
    name: question.name,
    turn: () => runLoad({ url, connections, seconds, warm_up_s: WARM_UP_S, requests: [requestOf(question)] }),
  }));
  return alternate(bench, contenders);
}

function requestOf({ path, key }: Question): LoadRequest {
  return { method: 'GET', path, headers: { authorization: `Bearer ${key}` } };
}

/** Where the page after `path` begins. */
async function cursorOf(url: string, path: string, key: string): Promise<string> {
  const response = await fetch(new URL(path, url), { headers: { authorization: `Bearer ${key}` } });
  const { next_cursor } = (await response.json()) as { next_cursor: string | null };
  if (next_cursor === null) throw new Error(`No second page at ${path}`);
  return next_cursor;
}
