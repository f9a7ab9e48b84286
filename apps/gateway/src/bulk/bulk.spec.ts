import { PassThrough, Readable } from 'node:stream';
import { type Bus, type RequestText } from '#bus';
import { Failure, Reply, type CallContext, type Contract, type Outcome } from '#contracts';
import { context, eventually } from '#testing';
import { type AddressBook } from '../auth/address-book.js';
import { type DevicesService } from '../auth/devices.service.js';
import { RequestContext } from '../auth/request-context.js';
import { Bulk } from './bulk.js';
import { LineKinds } from './line-kinds.js';
import { LineReader } from './line-reader.js';

const DONE = Reply.of({ id: 'done' });
const UNKNOWN = new Failure('unavailable', 'No answer in time');

/** Stands for the services: a frame is answered when and as the test says. */
class ToldBus {
  /** The names of the lines in each frame, in the order in which the frames left. */
  readonly left: string[][] = [];
  private readonly answers: ((outcomes: Outcome<unknown>[]) => void)[] = [];

  callTogether(
    _: Contract<unknown, unknown>,
    calls: { request: RequestText<unknown>; context: CallContext }[],
  ): Promise<Outcome<unknown>[]> {
    this.left.push(calls.map(({ request }) => nameIn(request)));
    return new Promise((resolve) => this.answers.push(resolve));
  }

  /** Answers a frame: all its lines alike. */
  answer(frame: number, outcome: Outcome<unknown>): void {
    this.answers[frame]!(this.left[frame]!.map(() => outcome));
  }
}

function nameIn(request: string): string {
  const { message, firmware } = JSON.parse(request) as { message?: string; firmware?: string };
  return message ?? firmware!.replace('1.0.0-', '');
}

/** Lines of one device about itself; `rest` says what matters to the test. */
const anEvent = (name: string, rest: object = {}): object => ({
  ...{ kind: 'event', component: 'pump', environment: 'test', email: 'ada@example.com', data: {} },
  ...{ message: name, ...rest },
});
const aFirmware = (name: string): object => ({
  ...{ kind: 'firmware', device_id: 'pump 7', firmware: `1.0.0-${name}`, status: 'installed' },
});

/** What can be reached from an object by its members. */
function reachedFrom(root: object): Set<object> {
  const reached = new Set([root]);
  for (const one of reached) {
    const members = one instanceof Map || one instanceof Set ? [...one.entries()].flat() : [];
    for (const member of [...members, ...Object.values(one)] as unknown[])
      if (typeof member === 'object' && member !== null) reached.add(member);
  }
  return reached;
}

function openBulk() {
  const bus = new ToldBus();
  // Nobody is asked about what a device says of itself.
  const kinds = new LineKinds({} as DevicesService, {} as AddressBook);
  const ofDevice = new RequestContext(context({ role: 'device', principal: 'pump 7' }), '::1');
  const reader = new LineReader(kinds, ofDevice, undefined);
  const bulk = new Bulk(bus as unknown as Bus, reader, () => Promise.resolve(true), 60_000);
  const batches = new PassThrough({ objectMode: true });
  const verdicts = Readable.from(bulk.verdicts(batches)).toArray();
  return {
    bus,
    bulk,
    send: (lines: object[]) => batches.write(lines.map((line) => Buffer.from(JSON.stringify(line)))),
    end: (): Promise<string[]> => {
      batches.end();
      return verdicts;
    },
  };
}

it('a bulk holds what a service is asked as text until it answers, however many objects it was read as', async () => {
  const { bus, bulk, send, end } = openBulk();
  const data = { a: Array.from({ length: 1_000 }, () => ({})) };
  send([anEvent('large', { data }), anEvent('other', { data })]);
  await eventually(() => bus.left.length === 1);
  expect(reachedFrom(bulk).size).toBeLessThan(1_000);
  bus.answer(0, DONE);
  expect(await end()).toHaveLength(1);
});

describe('a line about what one is about that is tried again, behind one that is not', () => {
  const [again, over] = [anEvent('again', { idempotency_key: 'k' }), anEvent('over')];
  /** Sends lines that have no answer, and another once the first of them is tried again: it waits for that. */
  const expectToWait = async (unanswered: object[], last: object): Promise<void> => {
    const { bus, bulk, send, end } = openBulk();
    send(unanswered);
    await eventually(() => bus.left.length === 1);
    const [first] = bus.left;
    bus.answer(0, UNKNOWN);
    await eventually(() => bus.left.length === 2);
    expect(bus.left).toEqual([first, ['again']]);
    await eventually(() => bulk.linesHeld === 2);
    send([last]);
    await eventually(() => bulk.linesHeld === 3);
    expect(bus.left).toEqual([first, ['again']]);
    bus.answer(1, DONE);
    await eventually(() => bus.left.length === 3);
    bus.answer(2, DONE);
    await end();
    expect(bus.left).toEqual([first, ['again'], ['last']]);
  };

  it('waits for it when it is of another kind', () => expectToWait([again, over], aFirmware('last')));

  it('waits for it when it is of the same kind, and would leave beside it', () =>
    expectToWait([again, over], anEvent('last')));

  it('waits for it when a verdict before both has been fetched', () =>
    expectToWait([anEvent('fetched'), again, over], aFirmware('last')));
});
