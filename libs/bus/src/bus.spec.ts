import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { type INestMicroservice, Logger } from '@nestjs/common';
import fc from 'fast-check';
import { contract, Failure, type CallContext, type Contract, type Reply } from '#contracts';
import { BusyLoop, context, eventually, testNats, type TestNats } from '#testing';
import { idsOfServed } from '#tracing';
import { type CallLimits } from './bus.js';
import { decodeFrame, encodeFrame } from './frame.js';
import { requestText } from './request-text.js';
import { MAX_PAYLOAD_BYTES, type CallHead, type OutcomeHead } from './wire.js';
import {
  type Echo,
  Heard,
  listen,
  openShouter,
  Shout,
  type Shouter,
  shoutAlone,
  shoutTogether,
  startEcho,
} from '../test/echo-service.js';

const FOREVER_MS = 60_000;
const OF_ONE = context();

/** One call's outcome: the token and text that came back, or the code of its failure. */
async function outcomeOf(call: Promise<Reply<Echo>>): Promise<string> {
  return call.then(
    (reply) => `${reply.body.token} ${reply.body.text}`,
    (failure: Failure) => failure.code,
  );
}

function shout(rest: Partial<Shout> = {}): Shout {
  return { token: randomUUID(), text: '', act: 'answer', ...rest };
}

describe('the bus', () => {
  let nats: TestNats;
  let heard: Heard;
  let echo: INestMicroservice;
  let shouters: Shouter[];

  const open = async (limits?: Partial<CallLimits>): Promise<Shouter> => {
    const shouter = await openShouter(nats.url, { deadline_ms: FOREVER_MS, ...limits });
    shouters.push(shouter);
    return shouter;
  };

  beforeAll(async () => {
    Logger.overrideLogger(false);
    nats = await testNats();
  });
  beforeEach(async () => {
    shouters = [];
    heard = new Heard();
    echo = await startEcho(nats.url, heard);
  });
  afterEach(async () => {
    heard.letGo();
    await echo.close();
    await Promise.all(shouters.map((shouter) => shouter.close()));
  });
  afterAll(() => nats.stop());

  describe('gives each caller exactly its own outcome, once,', () => {
    const limits = fc.record({
      calls_a_frame: fc.integer({ min: 1, max: 6 }),
      bytes_a_frame: fc.constantFrom(1, 1_000, 300_000),
      frames_in_flight: fc.integer({ min: 1, max: 3 }),
      slot_patience_ms: fc.constantFrom(1, 1_000),
    });
    const calls = fc.array(
      fc.record({
        act: fc.oneof(
          { weight: 6, arbitrary: fc.constant<Shout['act']>('answer') },
          { weight: 1, arbitrary: fc.constantFrom<Shout['act'][]>('refuse', 'break', 'hold') },
        ),
        character: fc.constantFrom('a', 'é', '漢', '"'),
        size: fc.oneof({ weight: 5, arbitrary: fc.nat(200) }, { weight: 1, arbitrary: fc.nat(200_000) }),
        deadline_ms: fc.constantFrom(10, 40),
        turns_before: fc.nat(3),
      }),
      { minLength: 1, maxLength: 40 },
    );

    const run = async (
      target: Contract<Shout, Echo>,
      bounds: Partial<CallLimits>,
      plans: {
        act: Shout['act'];
        character: string;
        size: number;
        deadline_ms: number;
        turns_before: number;
      }[],
    ) => {
      heard.holdBack();
      const { bus, close } = await openShouter(nats.url, bounds);
      const made: { request: Shout; outcome: Promise<string> }[] = [];
      for (const { act, character, size, deadline_ms, turns_before } of plans) {
        for (let turns = turns_before; turns > 0; turns -= 1) await turn();
        const request = shout({ act, text: character.repeat(size) });
        const call = bus.call(target, request, context(), act === 'hold' ? deadline_ms : FOREVER_MS);
        made.push({ request, outcome: outcomeOf(call) });
      }
      const outcomes = made.map(async ({ request, outcome }) => ({ request, outcome: await outcome }));
      // What was held back answers too late, while the others are still under way.
      await Promise.all(made.filter(({ request }) => request.act === 'hold').map(({ outcome }) => outcome));
      heard.letGo();
      const result = await Promise.all(outcomes);
      await close();
      return result;
    };
    const expected = ({ act, token, text }: Shout): string =>
      ({ answer: `${token} ${text}`, refuse: 'conflict', break: 'internal', hold: 'unavailable' })[act];

    it('whatever their sizes, failures, time-outs and order', async () => {
      await fc.assert(
        fc.asyncProperty(limits, calls, async (bounds, plans) => {
          const results = await run(shoutAlone, bounds, plans);
          expect(results.map(({ outcome }) => outcome)).toEqual(
            results.map(({ request }) => expected(request)),
          );
          const tokens = heard.alone.flat();
          expect(new Set(tokens).size).toBe(tokens.length);
        }),
        { numRuns: 40 },
      );
    });

    it('also when some of them ask the same', async () => {
      const some = fc.array(fc.tuple(fc.nat(3), fc.nat(1), fc.nat(3)), { minLength: 1, maxLength: 40 });
      const callers = [OF_ONE, context()];
      await fc.assert(
        fc.asyncProperty(limits, some, async (bounds, plans) => {
          const { bus, close } = await openShouter(nats.url, bounds);
          const outcomes: Promise<string>[] = [];
          for (const [what, who, turns_before] of plans) {
            for (let turns = turns_before; turns > 0; turns -= 1) await turn();
            const act = what === 0 ? 'refuse' : 'answer';
            const request = shout({ act, token: `${what}`, text: 'é'.repeat(10 ** what) });
            outcomes.push(outcomeOf(bus.call(listen, request, callers[who]!)));
          }
          expect(await Promise.all(outcomes)).toEqual(
            plans.map(([what]) => (what === 0 ? 'conflict' : `${what} ${'é'.repeat(10 ** what)}`)),
          );
          await close();
        }),
        { numRuns: 40 },
      );
    });

    it('also when a handler takes all calls of a frame together', async () => {
      await fc.assert(
        fc.asyncProperty(limits, calls, async (bounds, plans) => {
          const results = await run(shoutTogether, bounds, plans);
          expect(results.map(({ outcome }) => outcome)).toEqual(
            results.map(({ request }) => expected(request)),
          );
        }),
        { numRuns: 40 },
      );
    });
  });

  it('lets concurrent calls share frames', async () => {
    const { bus } = await open({ frames_in_flight: 1 });
    const first = bus.call(shoutTogether, shout({ act: 'hold' }), context());
    await eventually(() => heard.together.length === 1);
    const others = Array.from({ length: 50 }, () => bus.call(shoutTogether, shout(), context()));
    heard.letGo();
    await Promise.all([first, ...others]);
    expect(heard.together.map((frame) => frame.length)).toEqual([1, 50]);
  });

  describe('has calls of a frame that ask the same with the same key answered by one', () => {
    const OTHER = context();
    /** Calls that leave in one frame, once the call before them has its answer. */
    const inOneFrame = async (calls: [request: Shout, context: CallContext][]): Promise<string[]> => {
      const { bus } = await open({ frames_in_flight: 1 });
      heard.holdBack();
      const first = bus.call(listen, shout({ act: 'hold' }), OF_ONE);
      await eventually(() => heard.read.length === 1);
      const outcomes = calls.map(([request, context]) => outcomeOf(bus.call(listen, request, context)));
      heard.letGo();
      await first;
      return Promise.all(outcomes);
    };

    it('whether it answers, refuses or breaks', async () => {
      const acts = ['answer', 'refuse', 'break'] as const;
      const calls = Array.from({ length: 30 }, (_, index): [Shout, CallContext] => {
        const act = acts[index % acts.length]!;
        return [shout({ act, token: act, text: 'é' }), OF_ONE];
      });
      const outcomes = await inOneFrame(calls);
      expect(heard.read.slice(1).flat().sort()).toEqual([...acts].sort());
      const expected = { answer: 'answer é', refuse: 'conflict', break: 'internal' };
      expect(outcomes).toEqual(calls.map(([{ act }]) => expected[act as (typeof acts)[number]]));
    });

    it('and nothing else: each question and each caller has an answer of its own', async () => {
      const [one, other] = [shout({ token: 'one' }), shout({ token: 'other' })];
      const outcomes = await inOneFrame([
        [one, OF_ONE],
        [one, OTHER],
        [other, OF_ONE],
        [other, OTHER],
        [one, { ...OF_ONE, caller: { ...OF_ONE.caller, role: 'viewer' } }],
      ]);
      expect(outcomes).toEqual(['one ', 'one ', 'other ', 'other ', 'one ']);
      expect(heard.read.slice(1).flat()).toEqual(['one', 'one', 'other', 'other', 'one']);
    });

    it('and one answer crosses NATS', async () => {
      const request = shout({ grow: 100_000 });
      await inOneFrame(Array.from({ length: 30 }, (): [Shout, CallContext] => [request, OF_ONE]));
      expect(shouters[0]!.connection.nats.stats().inBytes).toBeLessThan(2 * 100_000);
    });

    it('but never by one that had begun before they came', async () => {
      const { bus } = await open({ frames_in_flight: 1 });
      const request = shout({ act: 'hold', token: 'now' });
      const early = bus.call(listen, request, OF_ONE);
      await eventually(() => heard.read.length === 1);
      const late = [1, 2, 3].map(() => bus.call(listen, request, OF_ONE));
      heard.letGo();
      await Promise.all([early, ...late]);
      expect(heard.read).toEqual([['now'], ['now']]);
    });

    it('also when the time of the first is over', async () => {
      const { connection } = await open();
      const { caller, ...rest } = OF_ONE;
      const body = JSON.stringify(shout({ token: 'asked twice' }));
      const heads: CallHead[] = [
        [0, 0, caller, rest],
        [1, FOREVER_MS, 0, rest],
        [2, FOREVER_MS, 0, rest],
      ];
      const answer = await connection.nats.request(
        listen.subject,
        encodeFrame(heads.map((head) => ({ head, body }))),
      );
      const answers = decodeFrame<OutcomeHead>(answer.data);
      expect(answers.map(({ head: [place] }) => place)).toEqual([1, 2]);
      expect(heard.read).toEqual([['asked twice']]);
      // Whoever does not say that it reads a body of several once gets each its own.
      expect(answer.data).toEqual(encodeFrame(answers));
    });
  });

  describe('takes calls that travel together', () => {
    const callTogether = async ({ bus }: Shouter, requests: Shout[], deadline_ms?: number) => {
      const calls = requests.map((request) => ({ request: requestText(request), context: OF_ONE }));
      const outcomes = await bus.callTogether(shoutTogether, calls, deadline_ms);
      return outcomes.map((outcome) => (outcome instanceof Failure ? outcome.code : outcome.body.token));
    };
    const named = (...tokens: string[]): Shout[] => tokens.map((token) => shout({ token }));

    it('in one frame of their own, in their order, in turns with all else that waits', async () => {
      const shouter = await open({ frames_in_flight: 1, calls_a_frame: 2, bytes_a_frame: 1 });
      const first = shouter.bus.call(shoutTogether, shout({ act: 'hold', token: 'first' }), context());
      await eventually(() => heard.together.length === 1);
      const one = shouter.bus.call(shoutTogether, shout({ token: 'one' }), context());
      const together = callTogether(shouter, named('a', 'b', 'c', 'd'));
      const others = callTogether(shouter, named('e', 'f'));
      const last = shouter.bus.call(shoutTogether, shout({ token: 'last' }), context());
      heard.letGo();
      await Promise.all([first, one, last]);
      expect(await together).toEqual(['a', 'b', 'c', 'd']);
      expect(await others).toEqual(['e', 'f']);
      expect(heard.together).toEqual([['first'], ['one'], ['a', 'b', 'c', 'd'], ['last'], ['e', 'f']]);
    });

    it('and gives each its own outcome', async () => {
      const shouter = await open();
      const requests = [...named('a'), shout({ act: 'refuse' }), shout({ act: 'break' }), ...named('d')];
      expect(await callTogether(shouter, requests)).toEqual(['a', 'conflict', 'internal', 'd']);
      expect(await callTogether(shouter, [])).toEqual([]);
    });

    it('and says of each that there was no answer in time', async () => {
      const shouter = await open();
      const outcomes = callTogether(shouter, [shout({ act: 'hold' }), ...named('b')], 20);
      expect(await outcomes).toEqual(['unavailable', 'unavailable']);
    });

    it('unless one message cannot carry them', async () => {
      const shouter = await open();
      const large = () => shout({ text: 'x'.repeat(MAX_PAYLOAD_BYTES / 2) });
      expect(await callTogether(shouter, [large(), large()])).toEqual(['too_large', 'too_large']);
      expect(await callTogether(shouter, named('a'))).toEqual(['a']);
    });
  });

  const nothingDone = async (call: Promise<unknown>): Promise<boolean | undefined> =>
    call.then(
      () => undefined,
      (failure: Failure) => failure.nothing_done ?? false,
    );

  it('says that nothing was done when a call never reached a handler, and only then', async () => {
    const { bus } = await open({ frames_in_flight: 1, calls_waiting: 1, slot_patience_ms: FOREVER_MS });
    expect(await nothingDone(bus.call(contract('nobody.listens', Shout, Shout), shout(), context()))).toBe(
      true,
    );
    const held = bus.call(shoutAlone, shout({ act: 'hold' }), context(), 200);
    await eventually(() => heard.alone.length === 1);
    const waiting = bus.call(shoutAlone, shout(), context());
    expect(await nothingDone(bus.call(shoutAlone, shout(), context()))).toBe(true);
    expect(await nothingDone(held)).toBe(false);
    heard.letGo();
    await waiting;
  });

  it('says so of what waited in vain, alone and in company, for its time or for a connection', async () => {
    const { bus } = await open({ frames_in_flight: 1, slot_patience_ms: FOREVER_MS });
    const together = async (deadline_ms?: number): Promise<(boolean | undefined)[]> => {
      const calls = [shout(), shout()].map((request) => ({ request: requestText(request), context: OF_ONE }));
      const outcomes = await bus.callTogether(shoutAlone, calls, deadline_ms);
      return outcomes.map((outcome) => (outcome as Failure).nothing_done);
    };
    const held = nothingDone(bus.call(shoutAlone, shout({ act: 'hold' }), context()));
    await eventually(() => heard.alone.length === 1);
    expect(await nothingDone(bus.call(shoutAlone, shout(), context(), 20))).toBe(true);
    expect(await together(20)).toEqual([true, true]);
    const left = [nothingDone(bus.call(shoutAlone, shout(), context())), together()];
    const { restart } = await nats.crash();
    expect(await Promise.all([held, ...left])).toEqual([false, true, [true, true]]);
    await restart();
  });

  it('fails only the call that broke what its frame shares', async () => {
    const { bus } = await open();
    const outcomes = await Promise.all(
      (['answer', 'break', 'answer', 'refuse'] as const).map((act, index) =>
        outcomeOf(bus.call(shoutTogether, shout({ act, token: `${index}` }), context())),
      ),
    );
    expect(outcomes).toEqual(['0 ', 'internal', '2 ', 'conflict']);
    expect(heard.together[0]).toEqual(['0', '1', '2', '3']);
  });

  it('logs what broke in a handler with the id of that call alone', async () => {
    const logged: unknown[] = [];
    const log = (): void => undefined;
    Logger.overrideLogger({ log, warn: log, error: () => logged.push(idsOfServed()) });
    const { bus } = await open({ frames_in_flight: 1 });
    const acts = ['answer', 'answer', 'break', 'answer'] as const;
    const calls = acts.map((act, index) => {
      const ofCall = context({}, { request_id: `${act} ${index}` });
      return outcomeOf(bus.call(shoutTogether, shout({ act }), ofCall));
    });
    expect((await Promise.all(calls))[2]).toBe('internal');
    Logger.overrideLogger(false);
    expect(heard.together[0]).toHaveLength(acts.length);
    // Together they are of several projects, and no line names requests of one beside those of another.
    expect(logged[0]).toEqual({});
    expect(logged.at(-1)).toEqual({ request_id: 'break 2' });
  });

  it('tells the caller what the handler said in refusing', async () => {
    const { bus } = await open();
    const refused = bus.call(shoutAlone, shout({ act: 'refuse', token: 'taken' }), context());
    await expect(refused).rejects.toMatchObject({
      code: 'conflict',
      message: 'taken',
      members: { token: 'taken' },
    });
  });

  it('tells nobody what went wrong inside a handler', async () => {
    const { bus } = await open();
    const broken: unknown = await bus
      .call(shoutAlone, shout({ act: 'break' }), context())
      .catch((error: unknown) => error);
    expect(broken).toMatchObject({ code: 'internal' });
    expect(JSON.stringify(broken) + (broken as Error).message).not.toContain('broke');
  });

  it('brings the caller, the request id, the trace and the idempotency key to the handler', async () => {
    const { bus } = await open();
    const sent: CallContext = context(
      { role: 'device', address: 'pump 7' },
      {
        traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
        idempotency: { route: 'POST /v1/x', key: 'k', content_hash: 'h' },
      },
    );
    const request = shout({ text: 'ü' });
    await bus.call(shoutTogether, request, sent);
    expect(heard.calls).toEqual([{ ...sent, request }]);
  });

  it('brings the marks of a reply to the caller', async () => {
    const { bus } = await open();
    const reply = await bus.call(shoutAlone, shout({ token: 'marked' }), context());
    expect(reply.marks).toEqual({ version: 'marked' });
  });

  it('drops expired calls of a frame and hands on the others', async () => {
    const { connection } = await open();
    const { caller, ...rest } = context();
    const part = (id: number, budget_ms: number) => ({
      head: [id, budget_ms, caller, rest] satisfies CallHead,
      body: JSON.stringify(shout({ token: `${id}` })),
    });
    const answer = await connection.nats.request(
      shoutTogether.subject,
      encodeFrame([part(1, 0), part(2, FOREVER_MS), part(3, -5)]),
    );
    expect(decodeFrame<OutcomeHead>(answer.data).map(({ head: [id] }) => id)).toEqual([2]);
    expect(heard.together).toEqual([['2']]);
  });

  it('never sends a call whose time was over while it waited', async () => {
    const { bus } = await open({ frames_in_flight: 1, slot_patience_ms: FOREVER_MS });
    const first = bus.call(shoutAlone, shout({ act: 'hold', token: 'first' }), context());
    const late = bus.call(shoutTogether, shout({ token: 'other subject' }), context());
    await late;
    await eventually(() => heard.alone.length === 1);
    const waiting = bus.call(shoutAlone, shout({ token: 'waiting' }), context(), 20);
    await expect(waiting).rejects.toMatchObject({ code: 'unavailable' });
    heard.letGo();
    await first;
    await bus.call(shoutAlone, shout({ token: 'last' }), context());
    expect(heard.alone).toEqual([['first'], ['last']]);
  });

  it('lets other calls pass a frame that stays without an answer', async () => {
    const { bus } = await open({ frames_in_flight: 1, slot_patience_ms: 1 });
    const held = bus.call(shoutAlone, shout({ act: 'hold', token: 'held' }), context());
    await eventually(() => heard.alone.length === 1);
    expect(await outcomeOf(bus.call(shoutAlone, shout({ token: 'passes' }), context()))).toBe('passes ');
    heard.letGo();
    expect(await outcomeOf(held)).toBe('held ');
  });

  it('refuses at once when nobody listens', async () => {
    const { bus } = await open();
    const nobody = contract('nobody.listens', Shout, Shout);
    const call = bus.call(nobody, shout(), context());
    await expect(call).rejects.toMatchObject({ code: 'unavailable', message: 'The service is not there' });
  });

  it('refuses at once when too many calls wait already', async () => {
    const { bus } = await open({ frames_in_flight: 1, calls_waiting: 2, slot_patience_ms: FOREVER_MS });
    const calls = [bus.call(shoutAlone, shout({ act: 'hold' }), context())];
    await eventually(() => heard.alone.length === 1);
    calls.push(bus.call(shoutAlone, shout(), context()), bus.call(shoutAlone, shout(), context()));
    await expect(bus.call(shoutAlone, shout(), context())).rejects.toMatchObject({ code: 'unavailable' });
    heard.letGo();
    await Promise.all(calls);
    expect(heard.alone).toHaveLength(3);
  });

  it('refuses at once when the service has enough under way', async () => {
    await echo.close();
    echo = await startEcho(nats.url, heard, { calls_in_flight: 1 });
    const { bus } = await open();
    const held = bus.call(shoutAlone, shout({ act: 'hold' }), context());
    await eventually(() => heard.alone.length === 1);
    await expect(bus.call(shoutAlone, shout(), context())).rejects.toMatchObject({
      code: 'unavailable',
      message: 'The service is overloaded',
      nothing_done: true,
    });
    heard.letGo();
    await held;
    await bus.call(shoutAlone, shout(), context());
    expect(heard.alone).toHaveLength(2);
  });

  it('refuses at once while the event loop of the service is behind, and answers again when it is not', async () => {
    await echo.close();
    echo = await startEcho(nats.url, heard, { loop_delay_ms: 50 });
    const { bus } = await open();
    const load = new BusyLoop(200);
    const refusal = await eventually(async () => {
      const outcome = await bus.call(shoutAlone, shout(), context()).catch((failure: Failure) => failure);
      return outcome instanceof Failure && outcome;
    });
    expect(refusal).toMatchObject({
      code: 'unavailable',
      message: 'The service is overloaded',
      nothing_done: true,
      retry_after_s: 1,
    });
    load.end();
    await eventually(() => bus.call(shoutAlone, shout(), context()));
  });

  it('shares calls among the replicas of a service, each call to one of them', async () => {
    const replica = await startEcho(nats.url, heard);
    const { bus } = await open({ calls_a_frame: 1, frames_in_flight: 20 });
    const sent = Array.from({ length: 100 }, () => shout());
    await Promise.all(sent.map((request) => bus.call(shoutAlone, request, context())));
    expect(heard.alone.flat().sort()).toEqual(sent.map(({ token }) => token).sort());
    await replica.close();
  });

  it('splits answers that are together larger than a message', async () => {
    const { bus } = await open();
    const grow = MAX_PAYLOAD_BYTES / 4;
    const calls = Array.from({ length: 6 }, () => bus.call(shoutTogether, shout({ grow }), context()));
    const answers = await Promise.all(calls);
    expect(heard.together).toHaveLength(1);
    expect(answers.map(({ body }) => body.text.length)).toEqual(answers.map(() => grow));
  });

  it('answers too_large, to that call alone, when its answer is larger than a message', async () => {
    const { bus } = await open();
    const large = bus.call(shoutTogether, shout({ grow: MAX_PAYLOAD_BYTES }), context());
    const small = bus.call(shoutTogether, shout({ token: 'small' }), context());
    expect(await Promise.all([outcomeOf(large), outcomeOf(small)])).toEqual(['too_large', 'small ']);
  });

  it('refuses a request that is larger than a message, and goes on', async () => {
    const { bus } = await open();
    const large = bus.call(shoutAlone, shout({ text: 'x'.repeat(MAX_PAYLOAD_BYTES) }), context());
    const small = bus.call(shoutAlone, shout({ token: 'small' }), context());
    expect(await Promise.all([outcomeOf(large), outcomeOf(small)])).toEqual(['too_large', 'small ']);
  });

  it('fails what is under way when NATS dies, and works again when it is back', async () => {
    const { bus } = await open();
    const held = bus.call(shoutAlone, shout({ act: 'hold' }), context());
    await eventually(() => heard.alone.length === 1);
    const { restart } = await nats.crash();
    await expect(held).rejects.toMatchObject({ code: 'unavailable' });
    await expect(bus.call(shoutAlone, shout(), context())).rejects.toMatchObject({ code: 'unavailable' });
    await restart();
    await eventually(() => bus.call(shoutAlone, shout(), context()));
  });

  it('is not healthy while the server refuses what it hears, and hears again once the server no longer does', async () => {
    const { bus, connection } = await open();
    await bus.call(shoutAlone, shout(), context());
    await nats.reconfigure((configuration) => {
      const rights = configuration.lastIndexOf('">"');
      return `${configuration.slice(0, rights)}"nothing"${configuration.slice(rights + 3)}`;
    });
    await eventually(() =>
      expect(bus.call(shoutAlone, shout(), context(), 200)).rejects.toMatchObject({ code: 'unavailable' }),
    );
    await eventually(() => expect(connection.ping()).rejects.toThrow('NATS refuses'));
    await nats.reconfigure();
    await eventually(() => bus.call(shoutAlone, shout(), context(), 200), 10_000);
    await connection.ping();
    await eventually(() => bus.ping('echo'));
  });

  it('goes on after something that is no frame arrived', async () => {
    const { bus, connection } = await open();
    connection.nats.publish(shoutAlone.subject, 'rubbish', { reply: 'nobody' });
    expect(await outcomeOf(bus.call(shoutAlone, shout({ token: 'fine' }), context()))).toBe('fine ');
  });

  it('finishes what is under way before a service closes', async () => {
    const { bus } = await open();
    const held = bus.call(shoutAlone, shout({ act: 'hold', token: 'finished' }), context());
    await eventually(() => heard.alone.length === 1);
    const closed = echo.close();
    await eventually(() =>
      bus.call(shoutTogether, shout(), context()).then(
        () => false,
        () => true,
      ),
    );
    heard.letGo();
    expect(await outcomeOf(held)).toBe('finished ');
    await closed;
  });

  it('takes no new calls once it drains, and waits for those under way', async () => {
    const { bus } = await open();
    const held = outcomeOf(bus.call(shoutAlone, shout({ act: 'hold', token: 'finished' }), context()));
    await eventually(() => heard.alone.length === 1);
    let drained = false;
    const draining = bus.drain().then(() => (drained = true));
    await expect(bus.call(shoutAlone, shout(), context())).rejects.toMatchObject({ code: 'unavailable' });
    expect(drained).toBe(false);
    heard.letGo();
    expect(await held).toBe('finished ');
    await draining;
  });

  it('knows whether a service is there', async () => {
    const { bus } = await open();
    await bus.ping('echo');
    await expect(bus.ping('nobody')).rejects.toThrow();
  });
});
