import { randomUUID } from 'node:crypto';
import { queryDatabase } from '#testing';
import { aDeviceId, anEvent } from './builders.js';
import { type Answer } from './http-client.js';
import { aProject, type Project } from './project.js';
import { startSystem, type System } from './system.js';

type Event = Record<string, unknown> & { id: string; occurred_at: string };

const MANY = 2_345;

describe('activity events', () => {
  let system: System;
  let project: Project;
  beforeAll(async () => {
    system = await startSystem({}, { tellsAudit: false });
    project = await aProject(system);
  });
  afterAll(() => system.stop());

  const record = async (rest: Record<string, unknown> = {}, { editor } = project): Promise<Event> => {
    const { status, body } = await editor.post('/v1/events', anEvent(rest));
    expect(status).toBe(201);
    return body;
  };
  const query = (filter: Record<string, string>, { viewer } = project): Promise<Answer> =>
    viewer.get(`/v1/events?${new URLSearchParams(filter).toString()}`);
  const found = async (filter: Record<string, string>, from = project): Promise<string[]> => {
    const { status, body } = await query({ limit: '1000', ...filter }, from);
    expect(status).toBe(200);
    return body.events.map(({ id }: Event) => id);
  };

  describe('that are recorded', () => {
    it('are found again as they were answered', async () => {
      const event = anEvent();
      const recorded = await system.admin.post('/v1/events', event);
      expect(recorded.status).toBe(201);
      expect(recorded.body).toEqual({
        ...event,
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        device_id: null,
        occurred_at: recorded.body.created_at,
        created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      });
      const again = await system.admin.get(`/v1/events/${recorded.body.id as string}`);
      expect(again.body).toEqual(recorded.body);
      expect((await system.admin.get('/v1/events?limit=1')).body.events).toEqual([recorded.body]);
    });

    it('may have happened at another time, in any zone', async () => {
      const event = await record({ occurred_at: '2020-02-29T23:30:00.1239-01:30' });
      expect(event.occurred_at).toBe('2020-03-01T01:00:00.123Z');
      expect(event.created_at).not.toBe(event.occurred_at);
      for (const occurred_at of ['0001-01-01T00:00:00Z', '9999-12-31T23:59:59.999Z']) {
        const { id } = await record({ occurred_at });
        const { body } = await project.viewer.get(`/v1/events/${id}`);
        expect(Date.parse(body.occurred_at as string)).toBe(Date.parse(occurred_at));
      }
    });

    it('never change: their version is theirs for ever', async () => {
      const { id } = await record();
      const etag = (await project.viewer.get(`/v1/events/${id}`)).headers.get('etag')!;
      const { status } = await project.viewer.get(`/v1/events/${id}`, { 'if-none-match': etag });
      expect(status).toBe(304);
      for (const method of ['PUT', 'PATCH', 'DELETE'])
        expect((await project.admin.send(method, `/v1/events/${id}`, {})).status).toBe(405);
    });

    it('are each their own, however many arrive together', async () => {
      // As many at once as a frame takes: of more, a busy machine may refuse some.
      const events = await Promise.all(
        Array.from({ length: 250 }, (_, index) => record({ data: { index } })),
      );
      expect(new Set(events.map(({ id }) => id)).size).toBe(250);
      expect(events.map(({ data }) => data)).toEqual(events.map((_, index) => ({ index })));
    });

    it('are there for who recorded them, whoever asks for the same page at once', async () => {
      const { editor } = project;
      const email = `${randomUUID()}@example.com`;
      // One key asks for one page over and over: most of these share an answer with others.
      const unseen = await Promise.all(
        Array.from({ length: 64 }, async () => {
          const { id } = await record({ email });
          const { body } = await editor.get(`/v1/events?limit=1000&email=${email}`);
          return body.events.some((event: Event) => event.id === id) ? [] : [id];
        }),
      );
      expect(unseen.flat()).toEqual([]);
    });

    it('fail alone when one among many is not valid', async () => {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          project.editor.post('/v1/events', anEvent(index % 10 ? {} : { email: 'nobody' })),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(
        answers.map((_, index) => (index % 10 ? 201 : 400)),
      );
    });
  });

  describe('of devices', () => {
    it('register a device that was unknown when a member writes them', async () => {
      for (const member of [project.admin, project.editor]) {
        const device_id = aDeviceId();
        const path = `/v1/devices/${encodeURIComponent(device_id)}`;
        expect((await member.get(path)).status).toBe(404);
        const events = await Promise.all(
          [1, 2, 3].map(() => member.post('/v1/events', anEvent({ device_id }))),
        );
        expect(events.map(({ status }) => status)).toEqual([201, 201, 201]);
        expect((await member.get(path)).body).toMatchObject({ id: device_id, name: null, labels: {} });
        expect((await member.delete(path)).status).toBe(204);
        await member.post('/v1/events', anEvent({ device_id }));
        expect((await member.get(path)).status).toBe(200);
      }
    });

    it('register nothing when a viewer tries', async () => {
      const device_id = aDeviceId();
      expect((await project.viewer.post('/v1/events', anEvent({ device_id }))).status).toBe(403);
      expect((await project.viewer.get(`/v1/devices/${encodeURIComponent(device_id)}`)).status).toBe(404);
    });

    it('may be said by the device itself, with or without its name', async () => {
      const { device, device_id } = project;
      for (const body of [anEvent(), anEvent({ device_id })])
        expect((await device.post('/v1/events', body)).body.device_id).toBe(device_id);
    });

    it('are counted by a device only as far as they are its own', async () => {
      const own = await aProject(system);
      await own.device.post('/v1/events', anEvent());
      await own.editor.post('/v1/events', anEvent());
      const { buckets } = (await own.device.get('/v1/events/histogram?interval=day')).body;
      expect(buckets.map(({ count }: { count: number }) => count)).toEqual([1]);
      const { body } = await own.device.get('/v1/events', { accept: 'application/x-ndjson' });
      expect((body as string).trimEnd().split('\n')).toHaveLength(1);
    });
  });

  describe('that are sought', () => {
    let own: Project;
    let paid: Event, refused: Event, started: Event;
    beforeAll(async () => {
      own = await aProject(system);
      const at = (day: string) => `2026-01-${day}T12:00:00Z`;
      paid = await record(
        { message: 'Invoice 42 was PAID, 100%', occurred_at: at('10'), device_id: 'till 1' },
        own,
      );
      refused = await record(
        {
          message: 'card_declined \\ "x"',
          email: 'eve@example.com',
          environment: 'live',
          occurred_at: at('11'),
        },
        own,
      );
      started = await record({ message: 'Größe ÄNDERN', component: 'boot', occurred_at: at('12') }, own);
    });
    const names = (ids: string[]): string[] =>
      ids.map((id) => ({ [paid.id]: 'paid', [refused.id]: 'refused', [started.id]: 'started' })[id] ?? id);

    it.each<[Record<string, string>, string[]]>([
      [{}, ['started', 'refused', 'paid']],
      [{ order: 'asc' }, ['paid', 'refused', 'started']],
      [{ component: 'billing' }, ['refused', 'paid']],
      [{ component: 'bill' }, []],
      [{ component: 'BILLING' }, []],
      [{ environment: 'live' }, ['refused']],
      [{ email: 'eve@example.com' }, ['refused']],
      [{ device_id: 'till 1' }, ['paid']],
      [{ component: 'billing', environment: 'test' }, ['paid']],
      [{ component: 'boot', email: 'eve@example.com' }, []],
      [{ message: 'paid' }, ['paid']],
      [{ message: 'INVOICE 42' }, ['paid']],
      [{ message: '%' }, ['paid']],
      [{ message: '100%' }, ['paid']],
      [{ message: '_' }, ['refused']],
      [{ message: 'card_' }, ['refused']],
      [{ message: 'card%' }, []],
      [{ message: 'i_v' }, []],
      [{ message: '\\' }, ['refused']],
      [{ message: '"x"' }, ['refused']],
      [{ message: 'ändern' }, ['started']],
      [{ message: 'a', component: 'billing', order: 'asc' }, ['paid', 'refused']],
      [{ message: "' OR 1=1 --" }, []],
      [{ from_date: '2026-01-11' }, ['started', 'refused']],
      [{ from_date: '01-11-2026' }, ['started', 'refused']],
      [{ from_date: '2026-01-11T12:00:00Z' }, ['started', 'refused']],
      [{ from_date: '2026-01-11T12:00:00.001Z' }, ['started']],
      [{ from_date: '2026-01-11T14:00:00+02:00' }, ['started', 'refused']],
      [{ to_date: '2026-01-11' }, ['paid']],
      [{ to_date: '01-12-2026' }, ['refused', 'paid']],
      [{ to_date: '2026-01-11T12:00:00Z' }, ['paid']],
      [{ to_date: '2026-01-11T12:00:00.001Z' }, ['refused', 'paid']],
      [{ from_date: '01-11-2026', to_date: '2026-01-12' }, ['refused']],
      [{ from_date: '2026-01-12', to_date: '2026-01-11' }, []],
    ])('by %j are %j', async (filter, expected) => {
      expect(names(await found(filter, own))).toEqual(expected);
    });

    it.each<[string, string]>([
      ['from_date', 'yesterday'],
      ['from_date', ''],
      ['from_date', '2026-13-01'],
      ['from_date', '2026-02-29'],
      ['to_date', '13-01-2026'],
      ['to_date', '2026-01-01T00:00:00'],
      ['to_date', '1767225600'],
      ['to_date', '0000-01-01'],
      ['to_date', '9999-12-31T23:59:60Z'],
      ['component', ''],
      ['message', ' '],
      ['device_id', '\n'],
      ['order', 'up'],
      ['limit', '0'],
      ['limit', '1001'],
      ['cursor', 'rubbish'],
      ['cursor', 'e30'],
      ['cursor', ''],
      ['colour', 'red'],
      ['project_id', randomUUID()],
      ['only_device_id', 'till 1'],
    ])('by %s=%j are refused', async (name, value) => {
      const { status, body } = await query({ [name]: value });
      expect([status, body.errors]).toEqual([400, [{ pointer: `/${name}`, detail: expect.any(String) }]]);
    });

    it('by an id that is nobody’s are a 404', async () => {
      expect((await project.viewer.get(`/v1/events/${randomUUID()}`)).status).toBe(404);
    });
  });

  describe('of more than one page', () => {
    let own: Project;
    let all: Event[];
    beforeAll(async () => {
      own = await aProject(system);
      const start = Date.parse('2026-03-01T00:00:00Z');
      const recorded: Event[] = [];
      for (let from = 0; from < MANY; from += 200) {
        const batch = Array.from({ length: Math.min(200, MANY - from) }, (_, index) => {
          const nth = from + index;
          // Three at the same instant, so that a walk has to go on in the middle of one.
          const occurred_at = new Date(start + Math.floor(nth / 3) * 60_000).toISOString();
          const message = nth % 10 ? 'tick' : `line\r\nbreak, "quote" ${nth}`;
          return record({ occurred_at, message, component: nth % 2 ? 'odd' : 'even', data: { nth } }, own);
        });
        recorded.push(...(await Promise.all(batch)));
      }
      all = recorded.sort((one, two) =>
        `${one.occurred_at}${one.id}` < `${two.occurred_at}${two.id}` ? -1 : 1,
      );
    });

    const walk = async (
      path: string,
      between = async (): Promise<unknown> => undefined,
    ): Promise<Event[]> => {
      const events: Event[] = [];
      for (let next: string | undefined = path; next;) {
        const { status, body, headers } = await own.viewer.get(next);
        expect(status).toBe(200);
        events.push(...body.events);
        const link = headers.get('link');
        expect(link === null).toBe(body.next_cursor === null);
        next = link === null ? undefined : /^<(.+)>; rel="next"$/.exec(link)![1]!;
        if (next) expect(new URL(next, system.url).searchParams.get('cursor')).toBe(body.next_cursor);
        await between();
      }
      return events;
    };

    it('are walked by the Link of each page, newest or oldest first', async () => {
      expect(await walk('/v1/events?limit=500&order=asc')).toEqual(all);
      expect(await walk('/v1/events?limit=999')).toEqual(all.toReversed());
    });

    it('keep their filters on the walk', async () => {
      const odd = await walk('/v1/events?limit=400&order=asc&component=odd&message=TICK');
      expect(odd).toEqual(all.filter(({ component, message }) => component === 'odd' && message === 'tick'));
    });

    it('have 100 on a page unless told, and 1,000 at most', async () => {
      expect((await own.viewer.get('/v1/events')).body.events).toHaveLength(100);
      expect((await own.viewer.get('/v1/events?limit=1000')).body.events).toHaveLength(1000);
    });

    it('end with null when the last page is just full', async () => {
      const component = 'just-full';
      for (let index = 0; index < 3; index += 1) await record({ component });
      expect((await query({ component, limit: '3' })).body.next_cursor).toBeNull();
      expect((await query({ component, limit: '2' })).body.next_cursor).toEqual(expect.any(String));
    });

    it('are each seen once on a walk while others write', async () => {
      const stable = new Set(all.map(({ id }) => id));
      const writeMore = () =>
        Promise.all([
          record({ component: 'late' }, own),
          record({ component: 'late', occurred_at: '2026-03-01T03:00:00Z' }, own),
        ]);
      const seen = (await walk('/v1/events?limit=300', writeMore)).map(({ id }) => id);
      const seenStable = seen.filter((id) => stable.has(id));
      expect(seenStable).toEqual(all.toReversed().map(({ id }) => id));
      expect(new Set(seen).size).toBe(seen.length);
    });

    it('come whole as NDJSON, whatever the limit', async () => {
      const { body, headers } = await own.viewer.get(
        '/v1/events?order=asc&limit=2&to_date=2026-03-03&component=odd',
        {
          accept: 'application/x-ndjson',
        },
      );
      expect(headers.get('content-type')).toMatch(/^application\/x-ndjson/);
      const lines = (body as string).trimEnd().split('\n');
      const odd = all.filter(({ component }) => component === 'odd');
      expect(lines.map((line) => JSON.parse(line) as Event)).toEqual(odd);
      expect(lines.length).toBeGreaterThan(1_000);
    });

    it('come whole as CSV, quoted where they must be', async () => {
      const { body, headers } = await own.viewer.get(
        '/v1/events?order=asc&to_date=2026-03-03&component=even',
        {
          accept: 'text/csv',
        },
      );
      expect(headers.get('content-type')).toMatch(/^text\/csv/);
      const [columns, ...rows] = parseCsv(body as string);
      expect(columns).toEqual([
        'id',
        'component',
        'environment',
        'email',
        'message',
        'data',
        'device_id',
        'occurred_at',
        'created_at',
      ]);
      const events = rows.map((cells) =>
        Object.fromEntries(cells.map((cell, index) => [columns![index]!, cell])),
      );
      const even = all.filter(({ component }) => component === 'even');
      expect(events).toEqual(
        even.map((event) => ({ ...event, data: JSON.stringify(event.data), device_id: '' })),
      );
    });

    it('come as an empty file when there are none', async () => {
      const nothing = '/v1/events?component=nothing';
      expect((await own.viewer.get(nothing, { accept: 'application/x-ndjson' })).body).toBe('');
      const csv = (await own.viewer.get(nothing, { accept: 'text/csv' })).body as string;
      expect(parseCsv(csv)).toHaveLength(1);
    });

    it('are refused as a problem, not as a file, when the question is wrong', async () => {
      const { status, headers } = await own.viewer.get('/v1/events?from_date=x', { accept: 'text/csv' });
      expect([status, headers.get('content-type')]).toEqual([400, expect.stringContaining('problem+json')]);
    });

    it('are counted by minute, hour and day', async () => {
      for (const [interval, digits] of [
        ['minute', 16],
        ['hour', 13],
        ['day', 10],
      ] as const) {
        const counts = new Map<string, number>();
        for (const { occurred_at } of all) {
          const start = `${occurred_at.slice(0, digits)}${'1970-01-01T00:00:00.000Z'.slice(digits)}`;
          counts.set(start, (counts.get(start) ?? 0) + 1);
        }
        const { body } = await own.viewer.get(
          `/v1/events/histogram?interval=${interval}&to_date=2026-03-03&component=even`,
        );
        const odd = await own.viewer.get(
          `/v1/events/histogram?interval=${interval}&to_date=2026-03-03&component=odd`,
        );
        const sum = new Map<string, number>();
        for (const { start, count } of [...body.buckets, ...odd.body.buckets])
          sum.set(start as string, (sum.get(start as string) ?? 0) + (count as number));
        expect([...sum].sort()).toEqual([...counts].sort());
      }
    });

    it('are counted by component or environment', async () => {
      const path = '/v1/events/histogram?interval=day&to_date=2026-03-02&environment=test';
      const { body } = await own.viewer.get(`${path}&group_by=component&message=tick`);
      const onDay = all.filter(
        ({ occurred_at, message }) => occurred_at < '2026-03-02' && message === 'tick',
      );
      const start = '2026-03-01T00:00:00.000Z';
      const count = (key: string): number => onDay.filter(({ component }) => component === key).length;
      expect(body).toEqual({
        buckets: [
          { start, key: 'even', count: count('even') },
          { start, key: 'odd', count: count('odd') },
        ],
      });
      const [environment] = (await own.viewer.get(`${path}&group_by=environment&component=odd`)).body.buckets;
      expect(environment).toMatchObject({ start, key: 'test' });
    });

    it.each([
      '',
      'interval=week',
      'interval=day&group_by=email',
      'interval=day&limit=5',
      'interval=day&from_date=x',
    ])('are not counted by %j', async (parameters) => {
      expect((await own.viewer.get(`/v1/events/histogram?${parameters}`)).status).toBe(400);
    });

    it('are not counted in more than 10,000 buckets', async () => {
      const large = await aProject(system);
      await queryDatabase(
        system.database_url,
        `INSERT INTO activity_events.events
           (project_id, id, occurred_at, component, environment, email, message, data, created_at)
         SELECT $1, gen_random_uuid(), '2026-01-01Z'::timestamptz + minute * interval '1 minute',
           'c', 'e', 'a@example.com', 'm', '{}', now() FROM generate_series(1, 10001) AS minute`,
        [large.id],
      );
      const { status, body } = await large.viewer.get('/v1/events/histogram?interval=minute');
      expect([status, body.errors[0].pointer]).toEqual([400, '/interval']);
      expect((await large.viewer.get('/v1/events/histogram?interval=hour')).status).toBe(200);
    });

    it('are split into smaller pages when they are large', async () => {
      const large = await aProject(system);
      const fill = 'x'.repeat(200_000);
      for (let index = 0; index < 30; index += 1) await record({ data: { index, fill } }, large);
      const seen: number[] = [];
      for (let path: string | null = '/v1/events?limit=1000'; path;) {
        const { status, body }: Answer = await large.viewer.get(path);
        expect(status).toBe(200);
        seen.push(...body.events.map(({ data }: { data: { index: number } }) => data.index));
        path = body.next_cursor && `/v1/events?limit=1000&cursor=${body.next_cursor as string}`;
      }
      expect(seen.sort((one, two) => one - two)).toEqual(Array.from({ length: 30 }, (_, index) => index));
    });
  });

  it('refuses an own id that another event has, and leaves that event as it is', async () => {
    const first = await system.admin.post('/v1/events', anEvent());
    const { id, occurred_at } = first.body as { id: string; occurred_at: string };
    const again = await system.admin.post('/v1/events', anEvent({ id, occurred_at, message: 'another' }));
    expect([again.status, again.body.code]).toEqual([409, 'conflict']);
    expect((await system.admin.get(`/v1/events/${id}`)).body).toEqual(first.body);
  });
});

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)!.push(quoted?.replaceAll('""', '"') ?? plain!);
    if (end !== ',') rows.push([]);
  }
  return rows.slice(0, -1);
}
