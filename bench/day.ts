import { readFile } from 'node:fs/promises';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { readCsv } from './csv-reader.js';
import { expected, questionsOf, type DayFilter } from './day-model.js';
import { dayOfEvents, type GeneratedEvent } from './event-generator.js';
import { wholeNumber } from './options.js';

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://localhost:3000' },
    key: { type: 'string' },
    seed: { type: 'string', default: '1' },
    // Far from today, so that nothing else in the project happened then.
    day: { type: 'string', default: '2026-01-15' },
    events: { type: 'string', default: '100000' },
    connections: { type: 'string', default: '64' },
  },
});
const url = values.url;
const key = values.key ?? (await readFile('.flotilla/admin.key', 'utf8')).trim();
const count = wholeNumber('events', values.events);
const wholeDay = { from_date: values.day, to_date: nextDay(values.day) };
const differences: string[] = [];

const events = [...dayOfEvents({ seed: wholeNumber('seed', values.seed), day: values.day, count })];
await recordAll();
await compareQuestions();
await compareExports();
for (const difference of differences.slice(0, 20)) console.error(difference);
console.log(differences.length === 0 ? 'No difference.' : `${differences.length} differences.`);
process.exitCode = differences.length === 0 ? 0 : 1;

/** Each event has its own id, so that sending it again after a failure, or in a second run, changes nothing. */
async function recordAll(): Promise<void> {
  const started = performance.now();
  let next = 0;
  const sender = async (): Promise<void> => {
    for (let event = events[next++]; event; event = events[next++]) await record(event);
  };
  await Promise.all(Array.from({ length: wholeNumber('connections', values.connections) }, sender));
  const seconds = (performance.now() - started) / 1_000;
  console.log(`Recorded ${count} events in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)}/s.`);
}

async function record(event: GeneratedEvent): Promise<void> {
  const body = JSON.stringify(event);
  for (let tries = 1; ; tries += 1) {
    const response = await fetch(`${url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
    }).catch(() => undefined);
    const text = await response?.text().catch(() => undefined);
    if (response?.status === 201 && text !== undefined) {
      expectEqual(`POST ${event.id}`, withoutCreation(JSON.parse(text) as RecordedEvent), recorded(event));
      return;
    }
    const isTemporary = !response || response.status === 503 || response.status === 429;
    if (!isTemporary || tries === 10)
      throw new Error(`POST ${event.id}: ${String(response?.status)} ${text ?? 'no answer'}`);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

/** Each question as a walk through all its pages, in both orders, and as a histogram. */
async function compareQuestions(): Promise<void> {
  const questions = questionsOf(events, values.day);
  for (const question of questions) {
    const filter = { ...wholeDay, ...question };
    const name = JSON.stringify(question);
    const right = expected(events, filter).map(({ id }) => id);
    expectEqualLists(`GET ${name}`, await walk(filter, 'desc'), right);
    expectEqualLists(`GET ${name}, oldest first`, await walk(filter, 'asc'), right.toReversed());
    expectEqualLists(`histogram ${name}`, await histogram(filter), hoursOf(expected(events, filter)));
  }
  console.log(`Asked ${questions.length} questions, as pages in both orders and as histograms.`);
}

async function walk(filter: DayFilter, order: 'asc' | 'desc'): Promise<string[]> {
  const ids: string[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const parameters = { ...filter, order, limit: '1000', ...(cursor !== undefined && { cursor }) };
    const page = JSON.parse(await get('/v1/events', parameters)) as {
      events: { id: string }[];
      next_cursor: string | null;
    };
    ids.push(...page.events.map(({ id }) => id));
    cursor = page.next_cursor;
  }
  return ids;
}

async function histogram(filter: DayFilter): Promise<[start: string, count: number][]> {
  const text = await get('/v1/events/histogram', { ...filter, interval: 'hour' });
  const { buckets } = JSON.parse(text) as { buckets: { start: string; count: number }[] };
  return buckets.map(({ start, count }) => [start, count]);
}

function hoursOf(list: GeneratedEvent[]): [start: string, count: number][] {
  const hours = Map.groupBy(list, ({ occurred_at }) => `${occurred_at.slice(0, 13)}:00:00.000Z`);
  return [...hours].map(([start, group]): [string, number] => [start, group.length]).reverse();
}

async function compareExports(): Promise<void> {
  const right = expected(events, {}).map(recorded);
  const ndjson = (await get('/v1/events', wholeDay, 'application/x-ndjson')).trimEnd().split('\n');
  const ofNdjson = ndjson.map((line) => withoutCreation(JSON.parse(line) as RecordedEvent));
  expectEqualLists('NDJSON', ofNdjson, right);

  const [columns, ...lines] = readCsv(await get('/v1/events', wholeDay, 'text/csv'));
  const ofCsv = lines.map((cells) => {
    const row = Object.fromEntries(columns!.map((column, at) => [column, cells[at]])) as Record<
      string,
      string
    >;
    const event = { ...row, data: JSON.parse(row.data!) as unknown, device_id: row.device_id || null };
    return withoutCreation(event as unknown as RecordedEvent);
  });
  expectEqualLists('CSV', ofCsv, right);
  console.log(`Exported ${ndjson.length} rows of NDJSON and ${lines.length} of CSV.`);
}

async function get(path: string, query: object, accept = 'application/json'): Promise<string> {
  const search = new URLSearchParams(query as Record<string, string>).toString();
  const response = await fetch(`${url}${path}?${search}`, {
    headers: { authorization: `Bearer ${key}`, accept },
  });
  const text = await response.text();
  if (response.status !== 200)
    throw new Error(`GET ${path}?${search}: ${response.status} ${text ?? 'no answer'}`);
  return text;
}

type RecordedEvent = GeneratedEvent & { created_at: string };

function withoutCreation({ created_at: _, ...event }: RecordedEvent): object {
  return event;
}

function recorded(event: GeneratedEvent): object {
  return { ...event, device_id: event.device_id ?? null };
}

function expectEqual(what: string, found: unknown, right: unknown): void {
  if (isDeepStrictEqual(found, right)) return;
  const show = (value: unknown): string => JSON.stringify(value).slice(0, 300);
  differences.push(`${what}: found ${show(found)}, expected ${show(right)}`);
}

/** One difference for a list, at the first place where there is one: a row too many moves all that follow. */
function expectEqualLists(what: string, found: unknown[], right: unknown[]): void {
  const length = Math.max(found.length, right.length);
  for (let at = 0; at < length; at += 1) {
    if (isDeepStrictEqual(found[at], right[at])) continue;
    expectEqual(`${what} (${found.length} of ${right.length}), place ${at + 1}`, found[at], right[at]);
    return;
  }
}

function nextDay(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 24 * 3_600_000).toISOString().slice(0, 10);
}
