import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { AT_ONCE, MOST_WAITING, Turns } from './turns.js';

const ROUTE = 'POST /v1/events';

/** A request, and whether its turn has come. */
class Asked {
  readonly response = new PassThrough();
  isUnderWay = false;
  /** Resolves with what it was refused with, when it was. */
  readonly refusal: Promise<unknown>;

  constructor(turns: Turns, project: string, route = ROUTE) {
    const turn = turns.begin(project, route, this.response);
    this.isUnderWay = turn === undefined;
    this.refusal = Promise.resolve(turn).then(
      () => void (this.isUnderWay = true),
      (refusal: unknown) => refusal,
    );
  }

  /** Its answer has left, or its caller has. */
  async end(): Promise<void> {
    this.response.destroy();
    await once(this.response, 'close');
  }
}

describe('turns at the gateway', () => {
  let turns: Turns;
  const ask = (project: string, count = 1, route?: string): Asked[] =>
    Array.from({ length: count }, () => new Asked(turns, project, route));
  const underWay = (all: Asked[]): number => all.filter(({ isUnderWay }) => isUnderWay).length;
  beforeEach(() => {
    turns = new Turns();
  });
  const share = (): void => void ask('loud').concat(ask('quiet'));

  it('are not needed by a project alone: all its requests are under way at once', () => {
    expect(underWay(ask('loud', 10 * AT_ONCE))).toBe(10 * AT_ONCE);
  });

  it('let a project beside others have so many under way, and the others theirs', () => {
    share();
    expect(underWay(ask('loud', 10 * AT_ONCE))).toBe(AT_ONCE - 1);
    expect(underWay(ask('quiet', 10))).toBe(10);
    expect(underWay(ask('loud', 10, 'GET /v1/events'))).toBe(10);
    expect(turns.waiting).toBe(9 * AT_ONCE + 1);
  });

  it('come in the order of asking, one with each answer that leaves', async () => {
    share();
    const asked = ask('loud', AT_ONCE + 9);
    for (let ended = 0; ended < 5; ended += 1) {
      await asked[ended]!.end();
      expect(asked.findLastIndex(({ isUnderWay }) => isUnderWay)).toBe(AT_ONCE - 1 + ended);
    }
  });

  it('pass over who hung up', async () => {
    share();
    const asked = ask('loud', AT_ONCE + 9);
    await asked[AT_ONCE - 1]!.end();
    await asked[0]!.end();
    expect(underWay(asked)).toBe(AT_ONCE + 1);
    expect(asked[AT_ONCE]!.isUnderWay).toBe(true);
  });

  it('refuse at once whoever is too many to wait', async () => {
    share();
    const [refused] = ask('loud', AT_ONCE + MOST_WAITING).slice(-1);
    expect(await refused!.refusal).toMatchObject({ code: 'unavailable', nothing_done: true });
  });

  it('refuse who has waited too long, and leave the places of others as they are', async () => {
    share();
    const asked = ask('loud', AT_ONCE + 1);
    const [late, later] = asked.slice(-2);
    expect(await late!.refusal).toMatchObject({ code: 'unavailable', nothing_done: true });
    expect(await later!.refusal).toMatchObject({ code: 'unavailable' });
    await asked[0]!.end();
    // Nobody has asked beside it for a while: it is alone again.
    expect(underWay(ask('loud', 10 * AT_ONCE))).toBe(10 * AT_ONCE);
  });

  it('are over for all who wait when the project is alone again', async () => {
    share();
    const asked = ask('loud', 3 * AT_ONCE);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await asked[0]!.end();
    expect(underWay(asked)).toBe(asked.length);
  });
});
