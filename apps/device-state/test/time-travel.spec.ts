import fc from 'fast-check';
import {
  deleteState,
  getState,
  getStates,
  queryHistory,
  queryStates,
  reportState,
  type CallContext,
  type DeviceReport,
  type DeviceStateView,
  type FleetQuery,
  type HistoryEntry,
  type HistoryQuery,
} from '#contracts';
import { context, queryDatabase, rowsRead, scansMade } from '#testing';
import { startDeviceState, type DeviceState } from './start-device-state.js';

const DEVICES = ['pump 1', 'pump 2', '漢字/*>'];
const patches = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom(null, 1, 2, { d: 1 }), {
  maxKeys: 3,
  noNullPrototype: true,
});
const writes: fc.Arbitrary<DeviceReport | { delete: string }> = fc.oneof(
  { arbitrary: fc.constantFrom(...DEVICES).map((id) => ({ delete: id })), weight: 1 },
  {
    arbitrary: fc.record(
      {
        device_id: fc.constantFrom(...DEVICES),
        data: patches,
        replaces: fc.boolean(),
        sequence: fc.nat(30),
        age_ms: fc.nat(100),
      },
      { requiredKeys: ['device_id', 'data', 'replaces'], noNullPrototype: true },
    ),
    weight: 8,
  },
);

/** Times are kept to the millisecond: what comes after this is later than what came before. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await new Promise((resolve) => setImmediate(resolve));
}

describe('the past', () => {
  let service: DeviceState;
  let caller: CallContext;
  beforeAll(async () => {
    service = await startDeviceState();
  });
  beforeEach(() => {
    caller = context();
  });
  afterAll(() => service.stop());

  const write = (one: DeviceReport | { delete: string }): Promise<unknown> =>
    'delete' in one
      ? service.bus.call(deleteState, { device_id: one.delete }, caller).catch(() => undefined)
      : service.bus.call(reportState, one, caller);
  const stateOf = (device_id: string, at?: string): Promise<DeviceStateView | undefined> =>
    service.bus.call(getState, { device_id, at }, caller).then(
      ({ body }) => body,
      () => undefined,
    );
  const states = async (query: FleetQuery = {}) => {
    const all: DeviceStateView[] = [];
    for (let cursor: string | undefined; ;) {
      const { body } = await service.bus.call(queryStates, { limit: 2, ...query, cursor }, caller);
      all.push(...body.states);
      if (body.next_cursor === null) return all;
      cursor = body.next_cursor;
    }
  };
  const history = async (
    device_id: string,
    query: HistoryQuery = {},
    between: () => Promise<unknown> = () => Promise.resolve(),
  ) => {
    const all: HistoryEntry[] = [];
    for (let cursor: string | undefined; ;) {
      const { body } = await service.bus.call(queryHistory, { ...query, device_id, cursor }, caller);
      all.push(...body.history);
      if (body.next_cursor === null) return all;
      cursor = body.next_cursor;
      await between();
    }
  };
  const report = (device_id: string, data: Record<string, unknown>) =>
    service.bus.call(reportState, { device_id, data, replaces: false }, caller);
  /** Pretends that everything so far of these devices was recorded that much earlier. */
  const age = (days: number) =>
    queryDatabase(
      service.urls.owner,
      `WITH aged AS (UPDATE device_state.history SET recorded_at = recorded_at - $2 * interval '1 day',
                       updated_at = updated_at - $2 * interval '1 day' WHERE project_id = $1)
       UPDATE device_state.states SET updated_at = updated_at - $2 * interval '1 day',
         first_seen_at = first_seen_at - $2 * interval '1 day', last_seen_at = last_seen_at - $2 * interval '1 day'
       WHERE project_id = $1`,
      [caller.caller.project_id, days],
    );

  /** As many devices, each with such a text in its state. */
  const store = async (devices: number, text: (n: string) => string): Promise<void> => {
    await queryDatabase(
      service.urls.owner,
      `INSERT INTO device_state.states (project_id, device_id, version, current, entries, first_seen_at, last_seen_at, updated_at)
       SELECT $1, 'pump ' || n, 1, json_build_object('text', ${text('n')}), 1, now(), now(), now()
       FROM generate_series(1, $2::int) AS n`,
      [caller.caller.project_id, devices],
    );
    await queryDatabase(service.urls.owner, 'ANALYZE device_state.states');
  };

  it('at any time is exactly what was current then', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(writes, { minLength: 1, maxLength: 12 }), async (life) => {
        caller = context();
        const seen: { at: string; current: unknown[] }[] = [];
        for (const one of life) {
          await write(one);
          // What a reader saw at a moment that no later write shares.
          const now = await Promise.all(DEVICES.map((id) => stateOf(id)));
          const at = new Date().toISOString();
          await nextMillisecond();
          seen.push({ at, current: now.map((state) => state?.data.current) });
        }
        for (const { at, current } of seen) {
          const then = await Promise.all(DEVICES.map((id) => stateOf(id, at)));
          expect(then.map((state) => state?.data.current)).toEqual(current);
          const fleet = new Map((await states({ at })).map((state) => [state.device_id, state]));
          expect(DEVICES.map((id) => fleet.get(id))).toEqual(then);
        }
      }),
      { numRuns: 25 },
    );
  });

  it('before a device’s first report holds nothing of it', async () => {
    await report('pump 1', { a: 1 });
    expect(await stateOf('pump 1', '2020-01-01T00:00:00Z')).toBeUndefined();
    expect(await states({ at: '2020-01-01' })).toEqual([]);
  });

  it('is found in the months before, and from a time ahead is the present', async () => {
    await report('pump 1', { a: 1 });
    await age(100);
    await report('pump 1', { a: 2 });
    const at = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
    expect((await stateOf('pump 1', at(-50)))?.data.current).toEqual({ a: 1 });
    expect((await stateOf('pump 1', at(-101)))?.data.current).toBeUndefined();
    expect((await stateOf('pump 1', at(1)))?.data.current).toEqual({ a: 2 });
  });

  it('of a state that never changed since is known without its history', async () => {
    await report('pump 1', { a: 1 });
    await age(100);
    await queryDatabase(service.urls.owner, 'DELETE FROM device_state.history WHERE project_id = $1', [
      caller.caller.project_id,
    ]);
    const at = new Date(Date.now() - 50 * 86_400_000).toISOString();
    expect((await stateOf('pump 1', at))?.data.current).toEqual({ a: 1 });
  });

  it('of a device that changed often among many that hardly did is found in a few rows', async () => {
    await queryDatabase(
      service.urls.owner,
      `INSERT INTO device_state.history (project_id, device_id, recorded_at, entry, id, operation, result, version,
         updated_at, timestamp, clock, key_id)
       SELECT $1, 'quiet ' || n, now(), 1, gen_random_uuid(), 'merge', 'applied', 1, now(), now(), 'server', $1
       FROM generate_series(1, 30000) AS n`,
      [caller.caller.project_id],
    );
    for (let hundred = 0; hundred < 20; hundred += 1)
      await Promise.all(Array.from({ length: 100 }, (_, count) => report('busy', { count, hundred })));
    await queryDatabase(service.urls.owner, 'ANALYZE device_state.states, device_state.history');
    const entries = await history('busy', { limit: 1000 });
    expect(entries).toHaveLength(2_000);
    const middle = entries[1_000]!;
    const rows = await rowsRead(service.urls.service, 'device_state.history', async () => {
      for (let times = 0; times < 20; times += 1) {
        const state = await stateOf('busy', middle.recorded_at);
        expect(state!.version).toBeGreaterThanOrEqual(middle.version);
      }
    });
    expect(rows).toBeLessThan(1_000);
  });

  describe('as history', () => {
    it('is walked by pages, newest first, while it is being written', async () => {
      for (let count = 0; count < 25; count += 1) await report('pump 1', { count });
      let more = 100;
      const seen = await history('pump 1', { limit: 4 }, () => report('pump 1', { count: (more += 1) }));
      expect(seen.map(({ version }) => version)).toEqual(
        Array.from({ length: 25 }, (_, index) => 25 - index),
      );
    });

    it('is walked through times at which many entries were made at once', async () => {
      await Promise.all(Array.from({ length: 50 }, (_, count) => report('pump 1', { count })));
      const versions = Array.from({ length: 50 }, (_, index) => index + 1);
      expect((await history('pump 1', { limit: 3, order: 'asc' })).map(({ version }) => version)).toEqual(
        versions,
      );
      expect((await history('pump 1', { limit: 7 })).map(({ version }) => version)).toEqual(
        versions.reverse(),
      );
    });

    it('is confined to a range: from is in it, to is not', async () => {
      for (const count of [1, 2, 3]) {
        await report('pump 1', { count });
        await nextMillisecond();
      }
      const [third, second] = await history('pump 1');
      const range = { from: second!.recorded_at, to: third!.recorded_at };
      expect((await history('pump 1', range)).map(({ version }) => version)).toEqual([2]);
      expect(await history('pump 1', { to: '2020-01-01' })).toEqual([]);
    });

    it('ends a page early rather than make it too large, and loses nothing', async () => {
      for (let count = 0; count < 60; count += 1) {
        await report('pump 1', { count, text: '漢'.repeat(21_000) });
      }
      const seen = await history('pump 1', { limit: 1000 });
      expect(seen.map(({ version }) => version)).toEqual(
        Array.from({ length: 60 }, (_, index) => 60 - index),
      );
    });

    it.each([
      { limit: 1, order: 'asc' },
      { limit: 100, order: 'desc' },
      { limit: 1000, order: 'asc' },
    ] as const)('has each entry once when no read has room for what it asks: %j', async (query) => {
      // Patch and state after it: 128 KB an entry.
      for (let count = 0; count < 80; count += 1) await report('pump 1', { count, text: 'x'.repeat(64_000) });
      const versions = Array.from({ length: 80 }, (_, index) => index + 1);
      if (query.order === 'desc') versions.reverse();
      expect((await history('pump 1', query)).map(({ version }) => version)).toEqual(versions);
    });

    it('refuses a cursor of another list', async () => {
      await report('pump 1', { a: 1 });
      await report('pump 2', { a: 1 });
      const { body } = await service.bus.call(queryStates, { limit: 1 }, caller);
      const call = service.bus.call(queryHistory, { device_id: 'pump 1', cursor: body.next_cursor! }, caller);
      await expect(call).rejects.toMatchObject({ code: 'invalid', errors: [{ pointer: '/cursor' }] });
    });
  });

  describe('and the present as a list', () => {
    it('holds each device once, newest first, while all of them change', async () => {
      const ids = Array.from({ length: 9 }, (_, index) => `pump ${index}`);
      for (const id of ids) await report(id, { a: 1 });
      const seen: string[] = [];
      for (let cursor: string | undefined, round = 2; ; round += 1) {
        const { body } = await service.bus.call(queryStates, { limit: 2, cursor }, caller);
        seen.push(...body.states.map(({ device_id }) => device_id));
        if (body.next_cursor === null) break;
        cursor = body.next_cursor;
        await Promise.all(ids.map((id) => report(id, { a: round })));
      }
      expect(seen).toEqual(ids.reverse());
    });

    it('tells which states changed since a time, the last change first', async () => {
      for (const id of ['pump 1', 'pump 2', 'pump 3']) await report(id, { a: 1 });
      await nextMillisecond();
      const since = new Date().toISOString();
      for (const id of ['pump 3', 'pump 1']) {
        await nextMillisecond();
        await report(id, { a: 2 });
      }
      await report('pump 2', { a: 1 });
      const changed = await states({ updated_since: since });
      expect(changed.map(({ device_id }) => device_id)).toEqual(['pump 1', 'pump 3']);
      const then = await states({ updated_since: since, at: changed[1]!.updated_at! });
      expect(then.map(({ device_id }) => device_id)).toEqual(['pump 3']);
    });

    it.each(['asc', 'desc'] as const)(
      'tells of each that changed once in one page, %s, while all of them change',
      async (order) => {
        const ids = Array.from({ length: 200 }, (_, index) => `pump ${index}`).sort();
        await Promise.all(ids.map((id) => report(id, { a: 0 })));
        let isOver = false;
        const change = async (first: number): Promise<void> => {
          for (let turn = first; !isOver; turn += 97) await report(ids[turn % ids.length]!, { a: turn });
        };
        const changing = [0, 50, 100].map(change);
        const pages: string[][] = [];
        while (pages.length < 20) {
          const request = { order, limit: 249, updated_since: '2020-01-01' };
          const { body } = await service.bus.call(queryStates, request, caller);
          pages.push(body.states.map(({ device_id }) => device_id));
        }
        isOver = true;
        await Promise.all(changing);
        for (const page of pages) expect(page.sort()).toEqual(ids);
      },
    );

    it.each([
      { limit: 7, order: 'asc' },
      { limit: 100, order: 'desc' },
      { limit: 1000, order: 'asc' },
      { limit: 1000, updated_since: '2020-01-01' },
      { limit: 1000, at: '2040-01-01' },
    ] as const)('holds each device once when no read has room for what it asks: %j', async (query) => {
      await store(90, () => `repeat('x', 64000)`);
      const ids = Array.from({ length: 90 }, (_, index) => `pump ${index + 1}`).sort();
      const seen = (await states(query)).map(({ device_id }) => device_id);
      expect(seen).toEqual('order' in query && query.order === 'asc' ? ids : ids.reverse());
    });

    it('leaves out what was deleted', async () => {
      await report('pump 1', { a: 1 });
      await report('pump 2', { a: 1 });
      await write({ delete: 'pump 1' });
      expect((await states()).map(({ device_id }) => device_id)).toEqual(['pump 2']);
      expect((await states({ updated_since: '2020-01-01' })).map(({ device_id }) => device_id)).toEqual([
        'pump 2',
      ]);
    });

    it('asks little for small pages behind many that were deleted', async () => {
      await report('last', { a: 1 });
      await nextMillisecond();
      await store(6_000, () => `''`);
      const gone = 'UPDATE device_state.states SET current = NULL WHERE project_id = $1 AND device_id <> $2';
      await queryDatabase(service.urls.owner, gone, [caller.caller.project_id, 'last']);
      const scans = await scansMade(service.urls.service, 'device_state.states', async () => {
        expect((await states({ limit: 1 })).map(({ device_id }) => device_id)).toEqual(['last']);
      });
      expect(scans).toBeLessThan(50);
    });

    it('goes on behind large ones that it leaves out, when no read has room for what it asks', async () => {
      await report('last', { a: 1 });
      await nextMillisecond();
      await store(300, () => `''`);
      await queryDatabase(
        service.urls.owner,
        `UPDATE device_state.states SET current = NULL, desired = json_build_object('text', repeat('x', 64000))
         WHERE project_id = $1 AND device_id <> 'last'`,
        [caller.caller.project_id],
      );
      expect((await states({ limit: 1000 })).map(({ device_id }) => device_id)).toEqual(['last']);
    });

    it.each([{}, { at: '2040-01-01' }])(
      'of some devices is in the order asked for, each once, when no read has room for what it asks: %j',
      async (time) => {
        await store(90, () => `repeat('x', 64000)`);
        const known = Array.from({ length: 90 }, (_, index) => `pump ${90 - index}`);
        // Every third is nobody's.
        const ids = known.flatMap((id, index) => (index % 2 ? [id, `no ${id}`] : [id]));
        const seen: string[] = [];
        while (seen.length < known.length) {
          const last = seen.at(-1);
          const device_ids = ids.slice(last === undefined ? 0 : ids.indexOf(last) + 1);
          const { body } = await service.bus.call(getStates, { device_ids, ...time }, caller);
          expect(body.states.length).toBeGreaterThan(0);
          seen.push(...body.states.map(({ device_id }) => device_id));
        }
        expect(seen).toEqual(known);
      },
    );

    it('goes on behind large ones of some devices that it leaves out', async () => {
      await store(201, () => `''`);
      await queryDatabase(
        service.urls.owner,
        `UPDATE device_state.states SET current = NULL, desired = json_build_object('text', repeat('x', 64000))
         WHERE project_id = $1 AND device_id <> 'pump 201'`,
        [caller.caller.project_id],
      );
      const device_ids = Array.from({ length: 201 }, (_, index) => `pump ${index + 1}`);
      const { body } = await service.bus.call(getStates, { device_ids }, caller);
      expect(body.states.map(({ device_id }) => device_id)).toEqual(['pump 201']);
    });

    it('of some devices reads little more of them than a page has room for', async () => {
      await store(30_000, (n) => `CASE WHEN ${n} <= 1000 THEN repeat('x', 60000) ELSE '' END`);
      const device_ids = Array.from({ length: 1_000 }, (_, index) => `pump ${index + 1}`);
      const rows = await rowsRead(service.urls.service, 'device_state.states', async () => {
        const { body } = await service.bus.call(getStates, { device_ids }, caller);
        expect(body.states.length).toBeGreaterThan(50);
        expect(body.states.map(({ device_id }) => device_id)).toEqual(
          device_ids.slice(0, body.states.length),
        );
        expect(body.next_cursor).not.toBeNull();
      });
      expect(rows).toBeLessThan(600);
    });

    it('shows a device only itself', async () => {
      await report('pump 1', { a: 1 });
      await report('pump 2', { a: 1 });
      const { project_id } = caller.caller;
      caller = context({ project_id, role: 'device', principal: 'pump 2', address: 'pump 2' });
      expect((await states()).map(({ device_id }) => device_id)).toEqual(['pump 2']);
    });
  });
});
