import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnyEntry } from '#contracts';
import { eventually } from '#testing';
import { OpenBulk, type Verdict } from './bulk-client.js';
import { anEvent } from './builders.js';
import { EventStream, type SentEvent } from './event-stream.js';
import { type HttpClient } from './http-client.js';
import { descendantsOf } from './processes.js';
import { started, type Started } from './started.js';

/** A million takes six minutes: `BULK_LINES=1000000 npm test -- test/bulk-faults.spec.ts`. */
const LINES = Number(process.env.BULK_LINES ?? 50_000);
const DEVICES = 500;
const LINES_A_WRITE = 1_000;
const CUTS = 10;
const PATIENCE_MS = Math.max(400_000, LINES * 4);

const BROKEN = [
  '{"kind":"event"',
  '{"kind":"gossip"}',
  '{"kind":"state","data":{}}',
  'x'.repeat(70_000),
  '[]',
];

/** Lines of mixed kinds, one in twenty of them broken; each says its own number. */
function mixedLines(run: string): { text: string; kind: string; number: number }[] {
  return Array.from({ length: LINES }, (_, number) => {
    const device_id = `${run} ${number % DEVICES}`;
    const idempotency_key = `${run}-${number}`;
    const lines = {
      broken: BROKEN[(number / 20) % BROKEN.length]!,
      event: { ...anEvent({ component: run, message: String(number), device_id }), idempotency_key },
      state: { device_id, data: { number }, idempotency_key },
      message: { recipient: `${run} 0`, message: String(number), idempotency_key },
      price: { product_id: `${run} ${number % 50}`, price: number + 1, idempotency_key },
    };
    const kinds = [
      'event',
      'state',
      'event',
      'state',
      'event',
      'message',
      'state',
      'event',
      'price',
    ] as const;
    const kind = number % 20 === 0 ? 'broken' : kinds[number % kinds.length]!;
    const line = lines[kind];
    return { number, kind, text: `${typeof line === 'string' ? line : JSON.stringify({ kind, ...line })}\n` };
  });
}

function* inParts(lines: string[]): Generator<string> {
  for (let at = 0; at < lines.length; at += LINES_A_WRITE) yield lines.slice(at, at + LINES_A_WRITE).join('');
}

/** What a client of the stream sees of a run, who comes back behind the last id each time it was cut: `kind number`. */
class CutReader {
  readonly seen: string[] = [];
  cuts = 0;
  private stream?: EventStream;
  private isOver = false;
  private readonly reading: Promise<void>;

  /** Is cut `CUTS` times, evenly on the way to as many entries. */
  constructor(
    private readonly client: HttpClient,
    private readonly run: string,
    private readonly expected: number,
  ) {
    this.reading = this.read();
  }

  async end(): Promise<void> {
    this.isOver = true;
    await this.stream?.close();
    await this.reading;
  }

  private async read(last_id = ''): Promise<void> {
    // A stream that was cut a moment ago may still count for its key.
    const open = (): Promise<EventStream> =>
      EventStream.open(this.client, '/v1/stream', last_id, (event) => this.take(event));
    const stream = await eventually(open, PATIENCE_MS);
    this.stream = stream;
    if (this.isOver) await stream.close();
    await stream.ended;
    if (!this.isOver) await this.read(stream.last_id);
  }

  private take({ event, data }: SentEvent): void {
    const number = event === 'problem' ? undefined : numberOf(data as AnyEntry, this.run);
    if (number === undefined) return;
    this.seen.push(`${event} ${number}`);
    const isDue = this.seen.length > ((this.cuts + 1) * this.expected) / (CUTS + 1);
    if (!isDue || this.cuts === CUTS) return;
    this.cuts += 1;
    void this.stream?.close();
  }
}

/** Which line of a run an entry is of; undefined when it is of none. */
function numberOf(entry: AnyEntry, run: string): number | undefined {
  if (entry.kind === 'event') return entry.component === run ? Number(entry.message) : undefined;
  if (entry.kind === 'message') return Number(entry.message);
  if (entry.kind === 'price') return Number(entry.new_price) - 1;
  return entry.kind === 'state' ? (entry.patch as { number: number }).number : undefined;
}

describe('a bulk while services are killed', () => {
  let directory: string;
  let flotilla: Started;
  let reader: CutReader | undefined;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla-bulk-'));
    flotilla = await started(directory, { BULK_PATIENCE_S: '60', BULK_IDLE_S: '120' });
  }, PATIENCE_MS);
  afterAll(async () => {
    await reader?.end();
    flotilla.kill('SIGTERM');
    await flotilla.ended;
    await rm(directory, { recursive: true, force: true });
  });

  const kill = async (name: string): Promise<void> => {
    const found = (await descendantsOf(flotilla.pid)).find(({ command }) => command.includes(name));
    process.kill(found!.pid, 'SIGKILL');
  };
  const all = async <Row>(path: string): Promise<Row[]> => {
    // The gateway may close a kept connection, silent since the bulks began, under the first request (RFC 9112, 9.5).
    const { body } = await eventually(() => flotilla.admin.get(path, { accept: 'application/x-ndjson' }));
    return (body as string)
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row);
  };

  it(
    'ends with exactly the good lines once, however often it is sent, and so does a stream however often it is cut',
    async () => {
      const run = randomUUID();
      await flotilla.admin.post('/v1/devices', { id: `${run} 0` });
      const lines = mixedLines(run);
      const good = lines.filter(({ kind }) => kind !== 'broken');
      reader = new CutReader(flotilla.admin, run, good.length);
      const ids = new Map<number, string | undefined>();
      for (const victim of ['apps/activity-events', 'apps/device-state', 'apps/messages']) {
        const bulk = new OpenBulk(flotilla.admin);
        const fed = bulk.feed(inParts(lines.map(({ text }) => text)));
        await bulk.reaches(LINES / 4, PATIENCE_MS);
        await kill(victim);
        await fed;
        const verdicts = await bulk.end();
        expect(verdicts.map(({ line }) => line)).toEqual(lines.map((_, index) => index + 1));
        const isRight = ({ line, status }: Verdict): boolean =>
          lines[line - 1]!.kind === 'broken' ? [400, 413].includes(status) : status >= 200 && status < 300;
        expect(verdicts.filter((verdict) => !isRight(verdict))).toEqual([]);
        for (const { line, id } of verdicts) {
          if (ids.has(line)) expect([line, id]).toEqual([line, ids.get(line)]);
          ids.set(line, id);
        }
      }

      const numbersOf = (kind: string): number[] =>
        lines.filter((line) => line.kind === kind).map(({ number }) => number);
      const inOrder = (numbers: number[]): number[] => numbers.sort((one, other) => one - other);
      const events = await all<{ message: string }>(`/v1/events?component=${run}`);
      expect(inOrder(events.map(({ message }) => Number(message)))).toEqual(numbersOf('event'));
      const messages = await all<{ message: string }>(
        `/v1/messages?recipient=${encodeURIComponent(`${run} 0`)}`,
      );
      expect(inOrder(messages.map(({ message }) => Number(message)))).toEqual(numbersOf('message'));

      const changes = await all<{ new_price: string; product_id: string }>('/v1/prices/changes');
      expect(inOrder(changes.map(({ new_price }) => Number(new_price) - 1))).toEqual(numbersOf('price'));
      for (const device of [7, 68, 129, 311, 499]) {
        const id = `${run} ${device}`;
        const history = await all<{ patch: { number: number } }>(
          `/v1/devices/${encodeURIComponent(id)}/state/history?order=asc`,
        );
        const told = numbersOf('state').filter((number) => number % DEVICES === device);
        expect(history.map(({ patch }) => patch.number)).toEqual(told);
      }

      await eventually(() => reader!.seen.length >= good.length, PATIENCE_MS);
      await reader.end();
      expect(reader.cuts).toBe(CUTS);
      expect(reader.seen.toSorted()).toEqual(good.map(({ kind, number }) => `${kind} ${number}`).sort());
    },
    PATIENCE_MS,
  );
});
