import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '#testing';
import { anEvent } from './builders.js';
import { spanCollector, type SpanCollector } from './span-collector.js';
import { started, type Started } from './started.js';

const hex = (bytes: number): string => randomBytes(bytes).toString('hex');

/** A line of the log of one of the apps, each a process of its own. */
interface Line {
  app: string;
  msg: string;
  request_id?: string;
  trace_id?: string;
  [more: string]: unknown;
}

describe('one request, seen from outside', () => {
  let directory: string;
  let collector: SpanCollector;
  let flotilla: Started;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'flotilla trail-'));
    collector = await spanCollector();
    const environment = { LOG_LEVEL: 'debug', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url };
    flotilla = await started(directory, environment);
  });
  afterAll(async () => {
    collector.close();
    flotilla.kill('SIGTERM');
    await flotilla.ended;
    await rm(directory, { recursive: true, force: true });
  });

  const lines = async (): Promise<Line[]> => {
    const logs = (await readdir(join(directory, 'logs'))).filter((name) => !/^(nats|postgres)\./.test(name));
    const texts = await Promise.all(logs.map((name) => readFile(join(directory, 'logs', name), 'utf8')));
    return texts
      .flatMap((text) => text.split('\n').filter((line) => line.startsWith('{')))
      .map((text) => {
        const { name, ...line } = JSON.parse(text) as { name: string } & Record<string, unknown>;
        return { ...line, app: name } as unknown as Line;
      });
  };
  const linesOf = (request_id: string): Promise<Line[]> =>
    eventually(async () => {
      const found = (await lines()).filter((line) => line.request_id === request_id);
      return found.some(({ msg }) => msg === 'answered') && found;
    }) as Promise<Line[]>;

  it('is the same in the answer, in the log of each process it went through, and in its trace', async () => {
    const [request_id, trace_id] = [randomUUID(), hex(16)];
    const { status, headers } = await flotilla.admin.post('/v1/events', anEvent(), {
      'x-request-id': request_id,
      traceparent: `00-${trace_id}-${hex(8)}-01`,
    });
    expect([status, headers.get('x-request-id')]).toEqual([201, request_id]);

    const seen = await linesOf(request_id);
    expect(seen.map(({ app, msg, trace_id }) => [app, msg, trace_id]).sort()).toEqual([
      ['activity-events', 'handled', trace_id],
      ['gateway', 'answered', trace_id],
      ['gateway', 'called', trace_id],
    ]);
    expect(seen.find(({ msg }) => msg === 'answered')).toMatchObject({
      method: 'POST',
      route: '/v1/events',
      status: 201,
    });
    for (const line of seen.filter(({ msg }) => msg !== 'answered'))
      expect(line).toMatchObject({ subject: 'activity-events.record', outcome: 'ok' });

    // Each app sends its spans once in five seconds.
    await eventually(() => {
      const spans = collector.spans.filter(({ traceId }) => traceId === trace_id);
      expect(spans.map(({ service, name }) => [service, name])).toEqual(
        expect.arrayContaining([
          ['gateway', 'POST /v1/events'],
          ['gateway', 'activity-events.record'],
          ['activity-events', 'activity-events.record'],
          ['activity-events', 'record-events'],
        ]),
      );
    }, 20_000);
  });

  it('is followed to its refusal too, by whomever', async () => {
    const [unknown, refused] = [randomUUID(), randomUUID()];
    await flotilla.admin.get('/v1/prices/none', { 'x-request-id': unknown });
    await flotilla.admin.as('flt_wrong').get('/v1/events', { 'x-request-id': refused });
    expect(
      (await linesOf(unknown)).map(({ app, outcome, status }) => [app, outcome ?? status]).sort(),
    ).toEqual([
      ['gateway', 404],
      ['gateway', 'not_found'],
      ['pricing', 'not_found'],
    ]);
    expect((await linesOf(refused)).map(({ app, status }) => [app, status])).toEqual([['gateway', 401]]);
  });

  it('has an id of its own where the client gave none', async () => {
    const { headers } = await flotilla.admin.get('/v1/me');
    expect(await linesOf(headers.get('x-request-id')!)).not.toEqual([]);
  });

  it('leaves no key and no body in any log', async () => {
    const marked = randomUUID();
    const { headers } = await flotilla.admin.post('/v1/events', anEvent({ message: marked }));
    await linesOf(headers.get('x-request-id')!);
    const text = JSON.stringify(await lines());
    for (const hidden of [marked, flotilla.admin.key!, 'flt_wrong']) expect(text).not.toContain(hidden);
  });
});
