import fc from 'fast-check';
import { Failure } from '#contracts';
import { PendingLine } from './pending-line.js';

describe('a line that follows others', () => {
  const NOBODY = new Set<PendingLine>();
  let made = 0;
  const aLine = (...following: PendingLine[]): PendingLine => {
    const line = new PendingLine(++made, 1);
    for (const one of following) line.follow(one);
    return line;
  };
  const settle = (line: PendingLine): void => line.settle(new Failure('unavailable'));

  it('leaves with the one before it, or once that has its verdict', () => {
    const first = aLine();
    const second = aLine(first);
    expect(second.mayLeaveWith(NOBODY)).toBe(false);
    expect(second.mayLeaveWith(new Set([first]))).toBe(true);
    settle(first);
    expect(second.mayLeaveWith(NOBODY)).toBe(true);
  });

  it('waits for one that is tried again, behind one that left with it and has its verdict', () => {
    const again = aLine();
    const over = aLine(again);
    settle(over);
    const last = aLine(over);
    expect(last.mayLeaveWith(NOBODY)).toBe(false);
    expect(last.mayLeaveWith(new Set([again]))).toBe(true);
    settle(again);
    expect(last.mayLeaveWith(NOBODY)).toBe(true);
  });

  it('waits for it behind any number of lines with a verdict, in whatever order they got it, by whatever ways it is reached', () => {
    const again = aLine();
    const lines = [again];
    for (let nth = 0; nth < 20_000; nth += 1) lines.push(aLine(lines.at(-1)!, lines.at(-1)!));
    const last = aLine(lines.at(-1)!);
    for (const line of lines.slice(10_000)) settle(line);
    for (const line of lines.slice(1, 10_000).reverse()) settle(line);
    expect(last.mayLeaveWith(NOBODY)).toBe(false);
    expect(last.mayLeaveWith(new Set([again]))).toBe(true);
    settle(again);
    expect(last.mayLeaveWith(NOBODY)).toBe(true);
  });

  it('never leaves before one about the same, and never waits for good', () => {
    const lines = fc.array(fc.uniqueArray(fc.nat(3), { minLength: 1, maxLength: 2 }), { maxLength: 30 });
    // How many lines a frame takes, which ones are not there for it, as they have another lane, and which of its lines
    // get a verdict; the others are tried again.
    const frames = fc.array(
      fc.record({ size: fc.integer({ min: 1, max: 8 }), elsewhere: fc.nat(255), verdicts: fc.nat(255) }),
    );
    fc.assert(
      fc.property(lines, frames, (subjects, plans) => {
        const last = new Map<number, PendingLine>();
        const all = subjects.map((ofOne) => {
          const line = aLine(...ofOne.flatMap((subject) => last.get(subject) ?? []));
          for (const subject of ofOne) last.set(subject, line);
          return { line, ofOne };
        });
        const open = () => all.filter(({ line }) => line.verdict === undefined);
        const send = (size: number, elsewhere: number, verdicts: number): void => {
          const frame = new Set<PendingLine>();
          for (const [place, { line, ofOne }] of open().entries()) {
            if (elsewhere & (1 << place)) continue;
            if (frame.size === size || !line.mayLeaveWith(frame)) continue;
            const overtaken = open().filter(
              (one) => one.line.number < line.number && one.ofOne.some((subject) => ofOne.includes(subject)),
            );
            expect(overtaken.filter((one) => !frame.has(one.line))).toEqual([]);
            frame.add(line);
          }
          [...frame].forEach((line, place) => {
            if (verdicts & (1 << place)) settle(line);
          });
        };
        for (const { size, elsewhere, verdicts } of plans) send(size, elsewhere, verdicts);
        for (let left = open().length; left > 0; left = open().length) {
          send(8, 0, 255);
          expect(open().length).toBeLessThan(left);
        }
      }),
      { numRuns: 500 },
    );
  });
});
