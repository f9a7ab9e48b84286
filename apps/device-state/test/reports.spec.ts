import { randomUUID } from 'node:crypto';
import {
  deleteState,
  desireState,
  Failure,
  getState,
  queryHistory,
  reportState,
  type CallContext,
  type DeviceReport,
  type Idempotency,
} from '#contracts';
import { contentHash } from '#database';
import { context, queryDatabase } from '#testing';
import { DUPLICATE_RULES, type DuplicateRule } from '../src/duplicate-rules.js';
import { startDeviceState, type DeviceState } from './start-device-state.js';

const aReport = (rest: Partial<DeviceReport> = {}): DeviceReport => ({
  device_id: 'pump 7/north',
  data: { on: true },
  replaces: false,
  ...rest,
});

describe('reports', () => {
  let service: DeviceState;
  let caller: CallContext;

  beforeAll(async () => {
    service = await startDeviceState({ replicas: 2 });
  });
  beforeEach(() => {
    caller = context();
  });
  afterAll(() => service.stop());

  const report = async (rest: Partial<DeviceReport> = {}, as = caller) =>
    (await service.bus.call(reportState, aReport(rest), as)).body;
  const withKey = (key: string, content: unknown = 'same'): CallContext => {
    const idempotency: Idempotency = { route: 'PATCH state', key, content_hash: contentHash(content) };
    return { ...caller, idempotency };
  };
  const state = async (device_id = 'pump 7/north') =>
    (await service.bus.call(getState, { device_id }, caller)).body;
  const history = async (device_id = 'pump 7/north') =>
    (await service.bus.call(queryHistory, { device_id, order: 'asc', limit: 1000 }, caller)).body.history;
  const refusal = (call: Promise<unknown>) =>
    call.then(
      () => 'not refused',
      (error: unknown) => (error as Failure).code,
    );

  it('of one device in one frame are applied in the order they came', async () => {
    const replies = await Promise.all(Array.from({ length: 30 }, (_, count) => report({ data: { count } })));
    expect(replies.map(({ version, result }) => [version, result])).toEqual(
      replies.map((_, index) => [index + 1, 'applied']),
    );
    expect(await state()).toMatchObject({ version: 30, data: { current: { count: 29 } } });
    expect((await history()).map(({ patch }) => patch)).toEqual(replies.map((_, count) => ({ count })));
  });

  it('that are refused leave their neighbours and the state alone', async () => {
    const outcomes = await Promise.allSettled([
      report({ data: { a: 1 } }),
      report({ data: { b: 1 }, conditions: { if_match: ['7'] } }),
      report({ data: { c: 'x'.repeat(40_000) } }),
      report({ data: { d: 'x'.repeat(40_000) } }),
      report({ data: { e: 1 }, conditions: { if_match: ['2'] } }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'rejected',
      'fulfilled',
    ]);
    expect(Object.keys((await state()).data.current)).toEqual(['a', 'c', 'e']);
    expect(await history()).toHaveLength(3);
  });

  it('from two replicas on twenty hot devices lose nothing and never deadlock', async () => {
    const devices = Array.from({ length: 20 }, (_, index) => `hot ${index}`);
    const writes = 3_000;
    const indexes = Array.from({ length: writes }, (_, index) => index).values();
    const writer = async (): Promise<void> => {
      for (const index of indexes) {
        // Each call meets the others in another order.
        await report({
          device_id: devices[(index * 7 + (index >> 5)) % devices.length]!,
          data: { [index]: index },
        });
      }
    };
    await Promise.all(Array.from({ length: 200 }, writer));
    const states = await Promise.all(devices.map(state));
    expect(states.reduce((sum, { version }) => sum + version, 0)).toBe(writes);
    const seen = states.flatMap(({ data }) => Object.values(data.current));
    expect(new Set(seen).size).toBe(writes);
    for (const device_id of devices) {
      const versions = (await history(device_id)).map(({ version }) => version);
      expect(versions).toEqual(versions.map((_, index) => index + 1));
    }
    const [{ deadlocks }] = (await queryDatabase<{ deadlocks: string }>(
      service.urls.owner,
      'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()',
    )) as [{ deadlocks: string }];
    expect(Number(deadlocks)).toBe(0);
  });

  it('racing with the version they saw end with as many versions as succeeded', async () => {
    let succeeded = 0;
    const race = async (writer: number): Promise<void> => {
      for (let attempt = 0; attempt < 200; attempt += 1) {
        const seen = await state().then(
          ({ version }) => String(version),
          () => undefined,
        );
        const conditions = seen === undefined ? { if_none_match: ['*'] } : { if_match: [seen] };
        await report({ data: { [writer]: attempt }, conditions }).then(
          () => (succeeded += 1),
          (error: unknown) => expect((error as Failure).code).toBe('precondition_failed'),
        );
      }
    };
    await Promise.all(Array.from({ length: 50 }, (_, writer) => race(writer)));
    expect((await state()).version).toBe(succeeded);
    expect(succeeded).toBeGreaterThan(0);
  });

  describe('with an idempotency key', () => {
    it('are answered as they were at first, and happen once', async () => {
      const first = await service.bus.call(reportState, aReport({ data: { count: 1 } }), withKey('k'));
      await report({ data: { count: 2 } });
      const again = await service.bus.call(reportState, aReport({ data: { count: 1 } }), withKey('k'));
      expect([first.marks.replayed, again.marks.replayed]).toEqual([undefined, true]);
      expect(again.body).toEqual(first.body);
      expect(await state()).toMatchObject({ version: 2, duplicates: 0, data: { current: { count: 2 } } });
    });

    it('happen once when all repeats come together, on both replicas', async () => {
      const calls = Array.from({ length: 200 }, () =>
        service.bus.call(reportState, aReport({ data: { at: randomUUID() } }), withKey('k')),
      );
      const replies = await Promise.all(calls);
      expect(replies.filter(({ marks }) => !marks.replayed)).toHaveLength(1);
      expect(new Set(replies.map(({ body }) => JSON.stringify(body))).size).toBe(1);
      expect((await state()).version).toBe(1);
    });

    it('happen once when the key comes with several devices at the same time', async () => {
      const calls = Array.from({ length: 40 }, (_, index) =>
        service.bus.call(reportState, aReport({ device_id: `pump ${index}` }), withKey('k', index)),
      );
      const outcomes = await Promise.allSettled(calls);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const rows = await queryDatabase(
        service.urls.owner,
        'SELECT FROM device_state.history WHERE project_id = $1',
        [caller.caller.project_id],
      );
      expect(rows).toHaveLength(1);
    });

    it('and other content are refused with both hashes', async () => {
      await report({}, withKey('k', 'one'));
      const call = service.bus.call(reportState, aReport(), withKey('k', 'other'));
      await expect(call).rejects.toMatchObject({
        code: 'idempotency_conflict',
        members: { first_content_hash: contentHash('one'), content_hash: contentHash('other') },
      });
    });

    it('that were refused may be sent again', async () => {
      const refused = report({ conditions: { if_match: ['1'] } }, withKey('k'));
      expect(await refusal(refused)).toBe('precondition_failed');
      expect((await report({}, withKey('k'))).result).toBe('applied');
    });
  });

  describe('after a deletion', () => {
    it('begin anew, with the version and the history going on', async () => {
      await report({ data: { a: 1 }, sequence: 9 });
      await service.bus.call(deleteState, { device_id: 'pump 7/north' }, caller);
      expect(await refusal(state())).toBe('not_found');
      expect(await report({ data: { b: 1 }, sequence: 0 })).toMatchObject({
        result: 'applied',
        version: 2,
        data: { current: { b: 1 } },
      });
      expect((await history()).map(({ operation, version, data }) => [operation, version, data])).toEqual([
        ['merge', 1, { a: 1 }],
        ['delete', 1, null],
        ['merge', 2, { b: 1 }],
      ]);
    });

    it('which needs something to delete, and may depend on its version', async () => {
      const remove = (if_match?: string[]) =>
        service.bus.call(deleteState, { device_id: 'pump 7/north', conditions: { if_match } }, caller);
      expect(await refusal(remove())).toBe('not_found');
      await report();
      expect(await refusal(remove(['2']))).toBe('precondition_failed');
      await remove(['1']);
      expect(await refusal(remove())).toBe('not_found');
    });
  });

  it('show what is desired until they do what it says', async () => {
    await report({ data: { on: false, speed: 3 } });
    await service.bus.call(desireState, aReport({ data: { on: true } }), caller);
    expect((await state()).data).toEqual({
      current: { on: false, speed: 3 },
      desired: { on: true },
      delta: { on: true },
    });
    await report({ data: { on: true } });
    expect((await state()).data).toEqual({ current: { on: true, speed: 3 }, desired: { on: true } });
  });

  it('may depend on the bare version, whatever is desired; wishes and deletions depend on both', async () => {
    const conditions = { if_match: ['1'] };
    const desire = (on: boolean, if_match: string[]) =>
      service.bus.call(desireState, aReport({ data: { on }, conditions: { if_match } }), caller);
    await report({ data: { a: 1 } });
    expect((await desire(true, ['1'])).marks.version).toBe('1-1');
    expect(await refusal(desire(false, ['1']))).toBe('precondition_failed');
    const removal = { device_id: 'pump 7/north', conditions };
    expect(await refusal(service.bus.call(deleteState, removal, caller))).toBe('precondition_failed');
    expect((await state()).data.desired).toEqual({ on: true });

    expect(await report({ data: { a: 2 }, conditions })).toMatchObject({ result: 'applied', version: 2 });
    expect((await desire(false, ['2-1'])).body.data.desired).toEqual({ on: false });
    await service.bus.call(deleteState, { ...removal, conditions: { if_match: ['2-2'] } }, caller);
    expect(await refusal(state())).toBe('not_found');
  });

  it('that depend on the bare version hear of a deletion since, also when something is desired again', async () => {
    const desire = () => service.bus.call(desireState, aReport(), caller);
    await desire();
    await report({ conditions: { if_match: ['0'] } });
    const conditions = { if_match: ['1'] };
    await service.bus.call(deleteState, { device_id: 'pump 7/north' }, caller);
    const { version } = (await desire()).marks;
    expect(await refusal(report({ conditions }))).toBe('precondition_failed');
    expect(await report({ conditions: { if_match: [version!] } })).toMatchObject({ version: 2 });
  });

  it('of one project are not seen in another', async () => {
    await report();
    const stranger = context();
    const wanted = { device_id: 'pump 7/north' };
    expect(await refusal(service.bus.call(getState, wanted, stranger))).toBe('not_found');
    expect(await refusal(service.bus.call(queryHistory, wanted, stranger))).toBe('not_found');
    expect((await report({}, stranger)).version).toBe(1);
  });
});

describe('a service with a rule of its user’s own', () => {
  const byHeartbeat: DuplicateRule = {
    name: 'heartbeat',
    about: 'content',
    judge: ({ document }, last) =>
      Object.keys(document).every((name) => name === 'uptime' || document[name] === last.document?.[name])
        ? 'duplicate'
        : 'newer',
  };
  let service: DeviceState;
  beforeAll(async () => {
    service = await startDeviceState({ rules: [...DUPLICATE_RULES, byHeartbeat] });
  });
  afterAll(() => service.stop());

  it('takes for a repeat what the rule says is one', async () => {
    const caller = context();
    const report = async (data: Record<string, unknown>) =>
      (await service.bus.call(reportState, aReport({ data }), caller)).body.result;
    expect(await report({ on: true, uptime: 1 })).toBe('applied');
    expect(await report({ uptime: 2 })).toBe('duplicate');
    expect(await report({ on: false, uptime: 3 })).toBe('applied');
  });
});
